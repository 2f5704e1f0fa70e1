// A server whose locks are being looked for as long as a scenario wants: how long the guest's own take depends on the host.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { seek, start, view } from './steps.mjs';

const HEADER = 'Content-Length: ', END = '\r\n\r\n';

/** The answer to ttvm/locks meanwhile: src/Dap/Views/LockViews.cs. */
const LOOKING = { locks: [], past: 'learning', layoutProblems: [], problem: 'The locks of the guest are being looked for.', isBeingFound: true };

const framed = message => {
    const content = Buffer.from(JSON.stringify(message));
    return Buffer.concat([Buffer.from(`${HEADER}${content.length}${END}`), content]);
};

/** Cuts what a server writes into its messages. */
function messagesTo(take) {
    let waiting = Buffer.alloc(0);
    return piece => {
        waiting = Buffer.concat([waiting, piece]);
        for (let end; (end = waiting.indexOf(END)) >= 0;) {
            const from = end + END.length, to = from + Number(waiting.subarray(HEADER.length, end));
            if (waiting.length < to) return;
            take(JSON.parse(waiting.subarray(from, to)));
            waiting = waiting.subarray(to);
        }
    };
}

/** Stands between VS Code and `ttvm dap`, and says nothing of the locks before `release` is called. */
async function prepare(folder, ttvm) {
    let isHeld = true, client;
    const proxy = net.createServer(socket => {
        client = socket;
        const server = spawn(ttvm, ['dap'], { cwd: folder, stdio: ['pipe', 'pipe', 'inherit'] });
        socket.on('error', () => { }).pipe(server.stdin).on('error', () => { });
        server.stdout.on('data', messagesTo(message =>
            socket.write(framed(isHeld && message.command === 'ttvm/locks' && message.success ? { ...message, body: LOOKING } : message))));
        server.on('exit', () => socket.end());
    });
    await new Promise(resolve => proxy.listen(0, '127.0.0.1', resolve));
    proxy.unref();
    fs.mkdirSync(path.join(folder, '.vscode'), { recursive: true });
    fs.writeFileSync(path.join(folder, '.vscode/launch.json'), JSON.stringify({
        version: '0.2.0', configurations: [{ type: 'ttvm', request: 'launch', name: 'Held', program: '${workspaceFolder}/demo.ttvm', debugServer: proxy.address().port }]
    }));
    return {
        release() {
            isHeld = false;
            client.write(framed({ seq: 0, type: 'event', event: 'ttvm/locksChanged' }));
        }
    };
}

export const heldPreparations = { locks_being_found: prepare };

/** What the view says while the guest's locks are being looked for, wherever the guest stands; they show by themselves once they are known. */
export async function locks_being_found(window) {
    await start(window);
    const locks = await view(window, 'Machine', 'locks');
    const looking = locks.getByText('Looking for the locks');
    await looking.waitFor();
    await seek(window, '50%');
    await looking.waitFor();
    assert.equal(await locks.locator('tr.lock').count(), 0);
    await window.shot('locks-being-found');

    window.release();
    await locks.locator('tr.lock', { hasText: 'account.brokenLock' }).waitFor();
    assert.equal(await looking.count(), 0);
    // With their past.
    await locks.locator('.findings p', { hasText: 'two holders' }).first().waitFor();
    await window.shot('locks-found');
}

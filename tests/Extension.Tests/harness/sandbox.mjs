// What the debug server may touch while it replays a recording that may come from anybody.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { STACK, start, stop, text } from './steps.mjs';
import { until } from './vscode.mjs';

const repository = path.resolve(import.meta.dirname, '../../..');
const launch = (name, more) => ({ type: 'ttvm', request: 'launch', name, program: '${workspaceFolder}/demo.ttvm', symbols: ['${workspaceFolder}/named/demo64.elf'], ...more });

export const sandboxFiles = {
    confined_recording: { '.vscode/launch.json': JSON.stringify({ version: '0.2.0', configurations: [launch('Confined')] }) },
    unconfined_recording: { '.vscode/launch.json': JSON.stringify({ version: '0.2.0', configurations: [launch('Open', { sandbox: false })] }) }
};

/** A second recording beside the first, and a symbol file. */
function prepare(folder) {
    fs.mkdirSync(path.join(folder, 'named'));
    fs.copyFileSync(path.join(repository, 'guests/prebuilt/demo64.elf'), path.join(folder, 'named/demo64.elf'));
    fs.copyFileSync(path.join(folder, 'demo.ttvm'), path.join(folder, 'other.ttvm'));
}

export const sandboxPreparations = { confined_recording: prepare, unconfined_recording: prepare };

/** The debug server of this window, as the kernel sees it. */
function adapter(window) {
    for (const id of fs.readdirSync('/proc').filter(name => /^\d+$/.test(name))) {
        try {
            const command = fs.readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0').slice(0, -1);
            if (command[1] !== 'dap' || fs.readlinkSync(`/proc/${id}/cwd`) !== window.folder) continue;
            return { command, status: fs.readFileSync(`/proc/${id}/status`, 'utf8') };
        } catch {
            // It ended meanwhile.
        }
    }
    throw new Error('there is no debug server');
}

/** What the same server, started in the same way, answers when it is told to launch something. */
function launchAgain(command, folder, program) {
    const server = spawn(command[0], command.slice(1), { cwd: folder, stdio: ['pipe', 'pipe', 'ignore'] });
    for (const [seq, name, args] of [[1, 'initialize', { adapterID: 'ttvm' }], [2, 'launch', { program }]]) {
        const message = JSON.stringify({ seq, type: 'request', command: name, arguments: args });
        server.stdin.write(`Content-Length: ${Buffer.byteLength(message)}\r\n\r\n${message}`);
    }
    return new Promise((resolve, reject) => {
        let output = '';
        server.stdout.on('data', data => {
            output += data;
            const answer = /\{[^{]*"request_seq":2\b.*?\}/.exec(output);
            if (!answer) return;
            resolve(/"success":true/.test(answer[0]));
            server.stdin.end();
        });
        server.on('exit', () => reject(new Error(`it ended: ${output}`)));
    });
}

/** It reads what is named and no other file; symbols, sources and bookmarks work, and nothing is left behind. */
export async function confined_recording(window) {
    const recording = path.join(window.folder, 'demo.ttvm'), bookmarks = `${recording}.bookmarks.json`;
    await start(window);
    const { command, status } = adapter(window);
    assert.deepEqual(command.slice(1), ['dap', '--only', recording, '--only-read', path.join(window.folder, 'named/demo64.elf')]);
    assert.match(status, /NoNewPrivs:\t1/);
    assert.match(status, /Seccomp:\t2/);
    assert.equal(await launchAgain(command, window.folder, path.join(window.folder, 'other.ttvm')), false);
    assert.equal(await launchAgain(command, window.folder, recording), true);
    assert.match(await text(window.page.locator(`${STACK} .monaco-list-row`, { hasText: '_start' }).first()), /boot\.S/);
    await window.page.locator('.tab', { hasText: 'boot.S' }).waitFor();
    await stop(window);
    await until('no empty file is left', () => !fs.existsSync(bookmarks));

    await start(window);
    await window.ask(() => window.command('ttvm: Bookmark this Position'), 'kept');
    await until('it is kept', () => /"kept"/.test(fs.readFileSync(bookmarks, 'utf8')));
    await stop(window);
    assert.match(fs.readFileSync(bookmarks, 'utf8'), /"kept"/);
    assert.deepEqual(fs.readdirSync(window.folder).filter(name => name.includes('.ttvm')).sort(), ['demo.ttvm', 'demo.ttvm.bookmarks.json', 'other.ttvm']);
}

/** Who leaves it out is told so. */
export async function unconfined_recording(window) {
    await start(window);
    await window.page.locator('.notification-list-item', { hasText: '"sandbox" is false: a bad recording can reach all your files' }).waitFor();
    await window.shot('unconfined-recording');
    const { command } = adapter(window);
    assert.deepEqual(command.slice(1), ['dap']);
    assert.equal(await launchAgain(command, window.folder, path.join(window.folder, 'other.ttvm')), true);
}

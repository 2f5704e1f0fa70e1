// What is kept with a recording, and what the debug server writes down of its work.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { choose, clickGutter, number, openSource, seek, STACK, start, stop, text, view } from './steps.mjs';
import { until } from './vscode.mjs';

const LINE = 43, BREAKPOINTS = '.debug-breakpoints', BALANCE = '0xffffffff80104658';

const notified = (window, message) => window.page.locator('.notification-list-item', { hasText: message }).first().waitFor();
const kept = window => JSON.parse(fs.readFileSync(path.join(window.folder, 'demo.ttvm.bookmarks.json'), 'utf8'));

/** From the menu of a byte: for VS Code a breakpoint on a function. */
async function breakOnWrite(window, address) {
    const bytes = await view(window, 'Memory', 'memory');
    await bytes.getByLabel('Address or expression').fill(address);
    await bytes.getByRole('button', { name: 'Show', exact: true }).click();
    await choose(window, bytes.locator(`.byte[data-address="${address}"]`), 'Break on Write');
    await listed(window, /write 0x/);
}

async function listed(window, what) {
    await until(`${what} is listed`, async () => {
        await window.page.locator(BREAKPOINTS).hover();
        await window.page.mouse.wheel(0, 2000);
        return (await window.rows(BREAKPOINTS)).filter(row => what.test(row)).length === 1;
    });
}

/** A breakpoint on a line, and one on a function, come back where nothing is remembered but what is kept with the recording; and they stop. */
export async function saved_breakpoints(window) {
    await start(window);
    await openSource(window, 'bank.c', LINE);
    await clickGutter(window, LINE);
    await breakOnWrite(window, BALANCE);
    const entry = await window.position();
    await window.command('ttvm: Save Breakpoints with Recording');
    await notified(window, 'The recording keeps 2 breakpoints.');
    await window.shot('breakpoints-saved');
    assert.equal(kept(window).breakpoints.length, 2);
    assert.ok(kept(window).breakpoints.some(one => one.line === LINE));
    await stop(window);

    await window.reopen();
    await window.startDebugging();
    await notified(window, '2 breakpoints came with the recording.');
    await window.waitForStop();
    assert.equal(await window.position(), entry);
    await listed(window, /bank\.c/);
    await listed(window, /write 0x/);
    await window.shot('breakpoints-restored');
    // The first write is where the account is set up.
    let at = entry;
    const frames = [];
    for (let i = 0; i < 3; i++) {
        at = await window.go('F5', at, `continue to stop ${i + 1}`);
        frames.push(await text(window.page.locator(STACK).first()));
    }
    assert.ok(frames.some(frame => /bank_deposit/.test(frame)), frames.join('; '));
    await window.shot('breakpoints-hit');

    // Whoever has breakpoints of his own keeps them as they are.
    await stop(window);
    await window.page.locator(BREAKPOINTS).hover();
    await window.page.locator('.pane-header .action-label[aria-label^="Remove All Breakpoints"]').click();
    await window.page.locator('.editor-instance .codicon-debug-breakpoint').waitFor({ state: 'detached' });
    await openSource(window, 'bank.c', LINE - 2);
    await clickGutter(window, LINE - 2);
    await start(window);
    await listed(window, /bank\.c/);
    await window.command('ttvm: Save Breakpoints with Recording');
    await notified(window, 'The recording keeps 1 breakpoint.');
    assert.deepEqual(kept(window).breakpoints.map(one => one.line), [LINE - 2]);
}

/** Positions with names: kept beside the recording, shown in the timeline, gone to and removed. */
export async function bookmarks(window) {
    await start(window);
    const there = await seek(window, '50%');
    await window.ask(() => window.command('ttvm: Bookmark this Position'), 'half way');
    await until('it is kept', () => kept(window).bookmarks.length === 1);
    assert.deepEqual(kept(window).bookmarks.map(({ name, position }) => [name, position]), [['half way', there]]);
    const lanes = await view(window, 'Timeline', 'timeline');
    await lanes.locator('.marker.bookmark').first().waitFor({ state: 'attached' });
    await window.shot('bookmark');
    const end = await seek(window, 'end');
    await pick(window, 'ttvm: Go to Bookmark', 'half way', 'bookmark-choice');
    assert.equal(await window.moved(end, 'to the bookmark'), there);
    await window.untilSettled();
    await pick(window, 'ttvm: Remove Bookmark', 'half way');
    await until('it is gone', () => kept(window).bookmarks.length === 0);
    await window.command('ttvm: Go to Bookmark');
    await notified(window, 'This recording has no bookmarks yet.');
}

async function pick(window, command, label, shot) {
    await window.insist(async () => {
        await window.command(command);
        const item = window.page.locator('.quick-input-list .monaco-list-row', { hasText: label }).first();
        await item.waitFor({ timeout: 10000 });
        if (shot) await window.shot(shot);
        await item.click({ timeout: 5000 });
    });
}

/** Every request with its duration, in the file that a command opens; the session is as ever. */
export async function log_level(window) {
    await start(window);
    const position = await seek(window, '25%');
    assert.ok(number(position) > 0);
    await window.command('ttvm: Show Log of the Debug Server');
    await window.page.locator('.tab', { hasText: 'ttvm.log' }).waitFor();
    const lines = window.page.locator('.monaco-editor[data-uri$="ttvm.log"] .view-lines');
    await until('requests in the log', async () => /setBreakpoints|configurationDone|stackTrace/.test(await text(lines)));
    await window.shot('log');
    const [file] = window.server.logs('ttvm.log');
    assert.ok(file, 'there is no ttvm.log');
    const log = fs.readFileSync(file, 'utf8');
    for (const request of ['initialize', 'launch', 'ttvm/seek', 'stackTrace']) assert.match(log, new RegExp(`${request}.* ms`), `${request} is not in ${log}`);
}

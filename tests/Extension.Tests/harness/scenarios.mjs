// What users do, each in a window of its own on a folder of its own. A scenario throws when something is not as it should be.
import assert from 'node:assert/strict';
import fs from 'node:fs';
import path from 'node:path';
import { attach_to_a_guest, guestFiles, guestPreparations, linux, live_guest, typing } from './guests.mjs';
import { heldPreparations, locks_being_found } from './heldLocks.mjs';
import { bookmarks, log_level, saved_breakpoints } from './kept.mjs';
import { calls_view, channels, living_classes, lock_classes, lockFiles, lockPreparations, locks_view, mcs_queue, read_copy_update, swaps } from './locks.mjs';
import { confined_recording, sandboxFiles, sandboxPreparations, unconfined_recording } from './sandbox.mjs';
import { reverse_steps_by_source, variables } from './source.mjs';
import { choose, number, seek, STACK, start, text, VARIABLES, view } from './steps.mjs';
import { sleep, until } from './vscode.mjs';

const repository = path.resolve(import.meta.dirname, '../../..');
const BALANCE = '0xffffffff80104658';

/** F5 in a folder with one recording, no launch.json, no open file. */
async function f5_without_launch_json(window) {
    await start(window);
    assert.equal(await window.position(), '0');
    const frame = await text(window.page.locator(`${STACK} .monaco-list-row`, { hasText: '_start' }).first());
    assert.match(frame, /boot\.S/);
    await window.page.locator('.tab', { hasText: 'boot.S' }).waitFor();
    const buttons = await window.page.locator('.debug-toolbar .action-label').evaluateAll(all => all.map(each => each.getAttribute('aria-label')));
    for (const title of ['Step Back (Alt+F10)', 'Reverse (Alt+F5)', 'Reverse Step Into (Alt+F11)', 'Reverse Step Out (Shift+Alt+F11)', 'Go to Position... (Alt+F8)', 'Bookmark this Position...'])
        assert.ok(buttons.includes(title), `the toolbar lacks ${title}: ${buttons.join(', ')}`);
    await window.shot('f5-stopped-at-entry');
}

/** The editor of a .ttvm file tells what it is; its button replays it. */
async function editor_and_its_replay_button(window) {
    await window.openFile('demo.ttvm');
    const editor = await window.view('recording');
    await editor.locator('.card').first().waitFor();
    const page = await text(editor.locator('.recording'));
    for (const part of ['1,995,523', '4 vCPUs', '16 MiB', 'BUG: lost update: expected 65142 got 58610', '0x11 to the debug-exit port']) assert.ok(page.includes(part), `the editor lacks "${part}"`);
    await window.shot('editor');
    await editor.locator('button', { hasText: 'Replay' }).click();
    await window.waitForStop();
    await window.shot('editor-replaying');
}

/** Where two recordings part, in the diff editor: what their guests printed, and what they executed. */
async function compare_recordings(window) {
    await window.openFile('demo.ttvm');
    const editor = await window.view('recording');
    await editor.locator('.card').first().waitFor();
    await window.command('ttvm: Compare with Recording...');
    await window.page.locator('.quick-input-list .monaco-list-row', { hasText: 'cured.ttvm' }).first().click();
    const diff = window.page.locator('.monaco-diff-editor:visible');
    // The second of the two comes to the front when it opens, whatever was chosen meanwhile.
    const consoles = 'demo.ttvm ↔ cured.ttvm (Console)', instructions = 'demo.ttvm ↔ cured.ttvm (Instructions)';
    await window.page.locator('.tab.active', { hasText: instructions }).waitFor({ timeout: 60000 });
    const sides = async (tab, left, right) => {
        await window.page.locator('.tab', { hasText: tab }).first().click();
        await window.page.locator('.tab.active', { hasText: tab }).waitFor();
        for (const [side, part] of [['original', left], ['modified', right]])
            await until(`${part} on the side ${side}`, async () => (await text(diff.locator(`.editor.${side} .view-lines`))).replaceAll('\u00a0', ' ').includes(part), 60000);
    };
    await sides(consoles, 'lock=broken', 'lock=mcs');
    await window.shot('compare-console');
    await sides(instructions, 'option+0x4b (main.c:34)', 'option+0x17 (main.c:26)');
    await window.shot('compare-instructions');
}

/** Steps by source line and by instruction, forwards and back to where they began. */
async function steps_back(window) {
    await start(window);
    await seek(window, '1000000');
    const first = await window.position();
    const second = await window.go('F10', first, 'step over');
    assert.ok(number(second) > number(first));
    await window.shot('stepped-over');
    const third = await window.go('Alt+F10', second, 'step back');
    assert.ok(number(third) < number(second), `${third} is not before ${second}`);
    await window.page.locator('.monaco-editor .debug-top-stack-frame-line').first().waitFor({ state: 'attached' });
    await window.shot('stepped-back');

    // By instruction, as long as the disassembly has the focus.
    await window.command('Open Disassembly View');
    await window.page.locator('.disassembly-view .monaco-list-row').first().waitFor();
    await window.page.locator('.disassembly-view .monaco-list-row').nth(5).click();
    const from = number(await window.position());
    const next = await window.go('F10', String(from), 'step over an instruction');
    await window.page.keyboard.press('Alt+F10');
    await until('back by one instruction', async () => number(await window.position()) === from);
    assert.ok(number(next) > from);
    await window.shot('stepped-back-by-instruction');
}

/** From the lost update back to the last write of the balance, by a data breakpoint. */
async function reverse_continue_to_a_data_breakpoint(window) {
    await start(window);
    const end = await seek(window, 'end');
    await window.ask(() => window.command('Debug: Add Data Breakpoint at Address'), `${BALANCE} + 8`);
    const kind = window.page.locator('.quick-input-list .monaco-list-row', { hasText: /^\s*write\s*$/ }).first();
    await kind.click();
    await window.page.locator('.quick-input-widget').waitFor({ state: 'hidden' });
    await sleep(1000);
    const hit = await window.go('Alt+F5', end, 'reverse continue');
    assert.ok(number(hit) > 0 && number(hit) < number(end));
    await until('the label', async () => /data breakpoint|write/i.test(await text(window.page.locator(STACK).first())));
    await window.shot('data-breakpoint');
}

/** Scopes of guest and shadow page tables unfold in the Variables. */
async function page_tables_in_variables(window) {
    await start(window);
    await seek(window, '50%');
    await window.page.locator(`${VARIABLES} .monaco-list-row`).first().waitFor();
    await window.fold(VARIABLES, 'Locals');
    await window.fold(VARIABLES, 'Registers');
    for (const scope of ['Guest page tables', 'Shadow page tables']) {
        const rowsBefore = (await window.rows(VARIABLES)).length;
        await window.expand(VARIABLES, scope);
        await until(`rows of ${scope}`, async () => (await window.rows(VARIABLES)).length > rowsBefore);
        await window.shot(scope.toLowerCase().replaceAll(' ', '-'));
        await window.fold(VARIABLES, scope);
    }
}

/** The view: tree with the shadow beside it, filters, a walk, ranges, differences. */
async function page_tables_view(window) {
    await start(window);
    await seek(window, '50%');
    const tables = await view(window, 'Page Tables', 'pageTables');
    const root = tables.locator('tr[data-level="1"]');
    await root.first().waitFor();
    await root.first().focus();
    await tables.locator('tr:focus').press('ArrowRight');
    await tables.locator('tr[data-level="2"]').first().waitFor();
    await tables.locator('tr[data-level="2"]').first().click();
    await tables.locator('tr[data-level="3"]').first().waitFor();
    assert.match(await text(tables.locator('.note').first()), /4-level paging, CR3/);
    await window.shot('page-tables');
    await tables.getByLabel('Translate an address').fill('rip');
    await tables.getByRole('button', { name: 'Walk' }).click();
    await tables.locator('.walk-steps tbody tr').nth(1).waitFor();
    assert.match(await text(tables.locator('.walk-steps')), /PML4\[\d+\]/);
    await window.shot('page-tables-walk');
    await tables.getByRole('button', { name: 'Close' }).click();
    await tables.getByRole('tab', { name: 'Merged ranges' }).click();
    await until('ranges', async () => /\d+ ranges?/.test(await text(tables.locator('.note').first())));
    await window.shot('page-tables-ranges');
    await tables.getByRole('tab', { name: 'Tree' }).click();
    await tables.getByLabel('user', { exact: true }).check();
    await until('fewer rows', async () => await tables.locator('tbody tr').count() > 0);
    await window.shot('page-tables-user');
}

/** Lanes, markers and the cursor; a click goes there, zooming asks again. */
async function timeline(window) {
    await start(window);
    const lanes = await view(window, 'Timeline', 'timeline');
    await lanes.locator('.plot').waitFor();
    for (const label of ['Instructions', 'Guest time', 'vCPU 0', 'vCPU 3', 'Console']) await lanes.locator('.label', { hasText: label }).waitFor();
    await lanes.locator('.marker.consoleLine').first().waitFor({ state: 'attached' });
    await window.shot('timeline');
    const plot = await lanes.locator('.plot').boundingBox();
    const before = await window.position();
    await window.page.mouse.click(plot.x + plot.width * 0.75, plot.y + 60);
    const position = number(await window.moved(before, 'click on the timeline'));
    assert.ok(Math.abs(position / 1995523 - 0.75) < 0.01, `${position} is not at 75%`);
    await window.page.mouse.move(plot.x + plot.width * 0.5, plot.y + 70);
    await lanes.locator('.tip').waitFor();
    await window.shot('timeline-hover');
    await window.page.mouse.wheel(0, -400);
    await until('zoomed in', async () => !/^1,995,523 instructions/.test(await text(lanes.locator('.note'))));
    await window.page.mouse.wheel(0, -400);
    await sleep(500);
    await window.shot('timeline-zoomed');
    // The same with the keys.
    await lanes.locator('.plot').focus();
    await window.page.keyboard.press('0');
    await window.page.keyboard.press('End');
    const now = await window.position();
    await window.page.keyboard.press('Enter');
    assert.equal(number(await window.moved(now, 'Enter on the timeline')), 1995523);
}

/** The guest's block beside the host code that is made of it; the document follows the session. */
async function translated_code(window) {
    await start(window);
    await seek(window, '1000000');
    const first = await window.position();
    await window.command('ttvm: Show Translated Code');
    await window.page.locator('.tab', { hasText: 'Translated Code' }).waitFor();
    const lines = window.page.locator('.monaco-editor[data-uri*="ttvm-translated"] .view-lines');
    await until('host code', async () => /vCPU \d at 1,000,000.*bytes of host code/.test((await text(lines)).replaceAll('\u00a0', ' ')));
    await window.shot('translated-code');
    await seek(window, '1000400');
    assert.notEqual(await window.position(), first);
    await until('the document follows', async () => (await text(lines)).includes('1,000,400'));
}

/** Serial output up to now; a click on a line goes to where it was printed. */
async function console_lines(window) {
    await start(window);
    const end = await seek(window, 'end');
    const guest = await view(window, 'Guest Console', 'console');
    const lines = guest.locator('.line');
    await until('12 lines', async () => await lines.count() === 12);
    assert.match(await text(lines.last()), /BUG: lost update: expected 65142 got 58610/);
    await window.shot('console');
    await lines.nth(3).click();
    const printed = await window.moved(end, 'click on a line');
    assert.ok(number(printed) < number(end));
    await until('lines up to there only', async () => await lines.count() < 12 && await lines.count() >= 3);
    await window.shot('console-earlier');
    await guest.getByRole('tab', { name: 'Screen' }).click();
    await guest.locator('.vga').waitFor();
    await window.shot('console-screen');
}

/** Bytes at an address; what changed stands out; right click; a change opens a diversion, and one action returns. */
async function memory(window) {
    await start(window);
    await seek(window, '50%');
    const bytes = await view(window, 'Memory', 'memory');
    await bytes.getByLabel('Address or expression').fill(BALANCE);
    await bytes.getByRole('button', { name: 'Show', exact: true }).click();
    const first = bytes.locator(`.byte[data-address="${BALANCE}"]`);
    await first.waitFor();
    await seek(window, '75%');
    await bytes.locator('.byte.changed').first().waitFor();
    await window.shot('memory-changed');
    const before = await window.position();
    await first.click({ button: 'right' });
    const menu = window.page.locator('.context-view .action-item', { hasText: 'Go to Last Write' }).first();
    await menu.waitFor();
    await window.shot('memory-menu');
    await menu.click();
    assert.ok(number(await window.moved(before, 'last write')) < number(before));
    await window.shot('memory-last-write');
    // A breakpoint from the same menu stops the way forward.
    await choose(window, first, 'Break on Write');
    await sleep(1500);
    const written = await window.position();
    const next = await window.go('F5', written, 'continue to the next write');
    assert.ok(number(next) > number(written) && number(next) < 1995523, `${next}: no write stopped it`);
    await window.shot('memory-break-on-write');
    await first.click();
    await window.page.keyboard.type('7f');
    await until('diversion', async () => await window.page.locator('.statusbar-item', { hasText: 'DIVERSION' }).count() > 0);
    await until('the byte', async () => await first.innerText() === '7f');
    await window.shot('memory-diversion');
    await window.page.locator('.statusbar-item', { hasText: 'DIVERSION' }).first().click();
    await until('back', async () => await window.page.locator('.statusbar-item', { hasText: 'DIVERSION' }).count() === 0);
}

/** A misspelled field: a sentence, and a button that opens launch.json. */
async function bad_launch_json(window) {
    await window.startDebugging();
    const dialog = window.page.locator('.monaco-dialog-box');
    await dialog.waitFor();
    assert.match(await text(dialog), /ttvm does not know "stopOnEntri"\. Did you mean "stopOnEntry"\?/);
    await window.shot('bad-launch-json');
    await dialog.getByRole('button', { name: 'Open launch.json' }).click();
    await window.page.locator('.tab', { hasText: 'launch.json' }).waitFor();
    await window.shot('launch-json');
}

/** Locks and devices. */
async function machine(window) {
    await start(window);
    await seek(window, '50%');
    const devices = await view(window, 'Machine', 'devices');
    await devices.locator('tr[data-level="1"]').first().waitFor();
    await devices.locator('tr[data-level="1"]').first().click();
    await devices.locator('tr[data-level="2"]').first().waitFor();
    await window.shot('machine');
}

/** The views in a theme, for looking at. */
const inTheme = (name, kind) => async window => {
    await start(window);
    await window.page.locator(`.monaco-workbench.${kind}`).waitFor();
    await seek(window, '50%');
    for (const [title, id] of [['Timeline', 'timeline'], ['Page Tables', 'pageTables'], ['Memory', 'memory'], ['Machine', 'locks']]) {
        await view(window, title, id);
        await sleep(700);
        await window.shot(`${name}-${id.toLowerCase()}`);
    }
};

/** User settings of a scenario, besides the harness's own. */
export const settings = {
    light_theme: { 'workbench.colorTheme': 'Default Light Modern' },
    high_contrast_theme: { 'workbench.colorTheme': 'Default High Contrast' },
    log_level: { 'ttvm.logLevel': 'debug' }
};

/** What a scenario's folder holds besides the recording and its sources. */
export const files = {
    ...guestFiles, ...lockFiles, ...sandboxFiles,
    bad_launch_json: {
        '.vscode/launch.json': JSON.stringify({
            version: '0.2.0', configurations: [{ type: 'ttvm', request: 'launch', name: 'Wrong', program: '${workspaceFolder}/demo.ttvm', stopOnEntri: true }]
        }, null, 2)
    }
};

/** What has to be made for a scenario before its window opens. */
export const preparations = {
    ...guestPreparations, ...heldPreparations, ...lockPreparations, ...sandboxPreparations,
    compare_recordings: folder => fs.copyFileSync(path.join(repository, 'traces/demo64-mcs.ttvm'), path.join(folder, 'cured.ttvm'))
};

export const scenarios = {
    f5_without_launch_json, editor_and_its_replay_button, compare_recordings, steps_back, reverse_continue_to_a_data_breakpoint, page_tables_in_variables, page_tables_view, timeline, console_lines, translated_code,
    memory, bad_launch_json, machine, locks_view, locks_being_found, mcs_queue, read_copy_update, channels, lock_classes, living_classes, swaps, calls_view, variables, reverse_steps_by_source, linux, live_guest, typing, attach_to_a_guest,
    saved_breakpoints, bookmarks, log_level, confined_recording, unconfined_recording,
    light_theme: inTheme('light', 'vs'), high_contrast_theme: inTheme('high-contrast', 'hc-black')
};

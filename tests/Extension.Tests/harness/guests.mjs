// Scenarios with more than the demo's recording: a real kernel, and guests that live. What they boot has been made before: VisualStudioCode.cs.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { choose, clickGutter, number, openSource, seek, STACK, start, stop, text, VARIABLES, view } from './steps.mjs';
import { until } from './vscode.mjs';

const repository = path.resolve(import.meta.dirname, '../../..');
const debian = process.env.TTVM_DEBIAN ?? path.join(repository, 'artifacts/debian');
const ECHO = path.join(repository, 'artifacts/guests/echo.elf');
/** A kernel boots meanwhile. */
const BOOT_TIME = 600000;

const launchJson = configuration => JSON.stringify({ version: '0.2.0', configurations: [{ type: 'ttvm', ...configuration }] }, null, 2);

/** Goes to one instruction and back, which the keys do as long as the disassembly has the focus. */
async function stepBackByInstruction(window) {
    await openDisassembly(window);
    await window.page.locator('.disassembly-view .monaco-list-row').nth(5).click();
    const from = await window.position();
    const back = await window.go('Alt+F10', from, 'back by one instruction');
    assert.equal(number(back), number(from) - 1);
}

/** Code without a source opens it by itself. */
async function openDisassembly(window) {
    await window.page.locator('.tab', { hasText: 'Disassembly' }).first().click({ timeout: 60000 });
    await window.page.locator('.disassembly-view .monaco-list-row').first().waitFor();
}

/** Debian's kernel: no symbols, but everything else. */
export async function linux(window) {
    await start(window);
    assert.equal(await window.position(), '0');
    await until('the call stack', async () => (await window.rows(STACK)).some(row => /0x[0-9a-f]+/.test(row)));
    await openDisassembly(window);
    await window.page.locator(`${VARIABLES} .monaco-list-row`, { hasText: 'rax' }).first().waitFor();
    await window.shot('linux-entry');

    const end = await seek(window, 'end');
    const guest = await view(window, 'Guest Console', 'console');
    const line = guest.locator('.line', { hasText: 'init reached' });
    await line.waitFor();
    await line.click();
    const printed = await window.moved(end, 'click on a line');
    assert.ok(number(printed) > 0 && number(printed) < number(end));
    await window.shot('linux-console-line');
    await stepBackByInstruction(window);
    await window.shot('linux-stepped-back');

    await breakOnWriteToTheStack(window);
    await unfoldTables(window);
    const lanes = await view(window, 'Timeline', 'timeline');
    for (const label of ['vCPU 0', 'System calls', 'Console']) await lanes.locator('.label', { hasText: label }).waitFor();
    await lanes.locator('.marker.consoleLine').first().waitFor({ state: 'attached' });
    const plot = await lanes.locator('.plot').boundingBox();
    const before = await window.position();
    await window.page.mouse.click(plot.x + plot.width * 0.6, plot.y + 60);
    const position = number(await window.moved(before, 'click on the timeline'));
    assert.ok(Math.abs(position / number(end) - 0.6) < 0.01, `${position} is not at 60%`);
    await window.shot('linux-timeline');
}

/** Where the stack grows to is written all the time: the nearest write lies close behind. */
async function breakOnWriteToTheStack(window) {
    const bytes = await view(window, 'Memory', 'memory');
    await bytes.getByLabel('Address or expression').fill('rsp');
    await bytes.getByRole('button', { name: 'Show', exact: true }).click();
    await choose(window, bytes.locator('.row:not(.head) .byte').first(), 'Break on Write');
    // The list holds only the rows in view, and the kinds of exceptions come first.
    await until('the breakpoint is listed', async () => {
        await window.page.locator('.debug-breakpoints').hover();
        await window.page.mouse.wheel(0, 2000);
        return (await window.rows('.debug-breakpoints')).some(row => /write 0x/.test(row));
    }, 60000);
    const before = await window.position();
    const written = await window.go('Alt+F5', before, 'back to the write');
    assert.ok(number(written) > 0 && number(written) < number(before));
    // With one vCPU there is no row for it: the pane's head says why it stopped.
    const pane = window.page.locator('.pane', { has: window.page.locator(STACK) }).first();
    await until('the reason', async () => /write 0x/i.test(await text(pane)));
    await window.shot('linux-data-breakpoint');
}

async function unfoldTables(window) {
    await window.fold(VARIABLES, 'Registers');
    for (const scope of ['Guest page tables', 'Shadow page tables']) {
        const rowsBefore = (await window.rows(VARIABLES)).length;
        await window.expand(VARIABLES, scope);
        await until(`rows of ${scope}`, async () => (await window.rows(VARIABLES)).length > rowsBefore);
        // Else the next scope would be pushed out of view.
        await window.fold(VARIABLES, scope);
    }
    const tables = await view(window, 'Page Tables', 'pageTables');
    await tables.locator('tr[data-level="1"]').last().click();
    await tables.locator('tr[data-level="2"]').last().click();
    await tables.locator('tr[data-level="3"]').first().waitFor();
    await window.shot('linux-page-tables');
}

const status = window => text(window.page.locator('.statusbar-item[id*="ttvm.position"]').first());

/** A guest is recorded while it is debugged: a breakpoint by a click in the gutter, backwards in what it has done, on, and the file that stays. */
export async function live_guest(window) {
    await start(window);
    assert.match(await status(window), /LIVE/);
    await window.shot('live-entry');
    await openSource(window, 'bank.c', 43);
    await clickGutter(window, 43);
    const entry = await window.position();
    const hit = await window.go('F5', entry, 'continue to the breakpoint');
    await until('the frame', async () => (await window.rows(STACK)).some(row => /bank_deposit[^]*bank\.c/.test(row)));
    await window.shot('live-breakpoint');
    const back = await window.go('Alt+F10', hit, 'step back');
    assert.ok(number(back) < number(hit));
    await window.shot('live-stepped-back');
    assert.equal(await window.go('F5', back, 'forward to the same breakpoint'), hit);
    assert.ok(number(await window.go('F5', hit, 'on, to the next breakpoint')) > number(hit));
    assert.match(await status(window), /LIVE/);
    await stop(window);
    assert.ok(fs.statSync(path.join(window.folder, 'live.ttvm')).size > 0);
    await window.page.keyboard.press('Control+Shift+E');
    await window.openFile('live.ttvm');
    const editor = await window.view('recording');
    await editor.locator('.card').first().waitFor();
    assert.match(await text(editor.locator('.recording')), /4 vCPUs/);
    await window.shot('live-recording');
}

/** What is typed reaches a running guest, which answers; then it is paused and goes back. */
export async function typing(window) {
    await window.startDebugging();
    await talk(window, 'typing');
    await stop(window);
    assert.ok(fs.existsSync(path.join(window.folder, 'typed.ttvm')));
}

/** The same with a guest that `ttvm record --dap` started. It lives on without the debugger. */
export async function attach_to_a_guest(window) {
    await window.startDebugging();
    await talk(window, 'attach');
    await stop(window);
    assert.equal(window.recorder.exitCode, null, 'the guest ended with the debugger');
    window.recorder.kill('SIGINT');
    await until('the recording is complete', () => window.recorder.exitCode !== null || window.recorder.signalCode !== null, 120000);
    assert.ok(fs.statSync(path.join(window.folder, 'attached.ttvm')).size > 0);
}

async function talk(window, name) {
    await window.page.locator('.debug-toolbar').waitFor({ timeout: 60000 });
    const guest = await view(window, 'Guest Console', 'console');
    await guest.locator('.line', { hasText: 'echo: type; q ends' }).waitFor();
    await guest.getByLabel('Type into the guest').fill('hello');
    await guest.getByLabel('Type into the guest').press('Enter');
    await guest.locator('.line', { hasText: 'HELLO' }).waitFor();
    await window.shot(`${name}-running`);
    await window.page.locator('.debug-toolbar .action-label[aria-label^="Pause"]').click();
    await window.waitForStop();
    assert.match(await status(window), /LIVE/);
    await window.shot(`${name}-paused`);
    await stepBackByInstruction(window);
    await window.shot(`${name}-stepped-back`);
}

/** Files in a scenario's folder. */
export const guestFiles = {
    linux: { '.vscode/launch.json': launchJson({ request: 'launch', name: 'Boot', program: '${workspaceFolder}/boot.ttvm' }) },
    live_guest: {
        '.vscode/launch.json': launchJson({
            request: 'launch', name: 'Live', program: '${workspaceFolder}/demo64.elf', recording: '${workspaceFolder}/live.ttvm', cpus: 4, chaos: 2, stopOnEntry: true
        })
    },
    typing: { '.vscode/launch.json': launchJson({ request: 'launch', name: 'Echo', program: '${workspaceFolder}/echo.elf', recording: '${workspaceFolder}/typed.ttvm' }) }
};

/** Runs `ttvm record` until it has ended or said what is waited for. */
function record(ttvm, args, isReady = () => false) {
    return new Promise((resolve, reject) => {
        const process = spawn(ttvm, ['record', ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
        const timer = setTimeout(() => process.kill('SIGKILL'), BOOT_TIME);
        let output = '';
        for (const stream of [process.stdout, process.stderr]) {
            stream.on('data', data => {
                output += data;
                const ready = isReady(output);
                if (ready) clearTimeout(timer);
                if (ready) resolve({ process, ready });
            });
        }
        process.on('exit', code => {
            clearTimeout(timer);
            if (code === 0) resolve({ process });
            else reject(new Error(`ttvm record ended with ${code}: ${output}`));
        });
    });
}

/** What is made in a scenario's folder; what is answered becomes part of its window. */
export const guestPreparations = {
    linux: async (folder, ttvm) => {
        await record(ttvm, ['-q', '-o', path.join(folder, 'boot.ttvm'), '--kernel', path.join(debian, 'linux-cloud-amd64/vmlinuz'),
            '--initrd', path.join(debian, 'initramfs.cpio.gz'), '--append', 'console=ttyS0']);
    },
    live_guest: async folder => fs.copyFileSync(path.join(repository, 'guests/prebuilt/demo64.elf'), path.join(folder, 'demo64.elf')),
    typing: async folder => fs.copyFileSync(ECHO, path.join(folder, 'echo.elf')),
    attach_to_a_guest: async (folder, ttvm) => {
        const { process, ready } = await record(ttvm, ['--dap', '0', '-o', path.join(folder, 'attached.ttvm'), '--kernel', ECHO],
            output => /attach at port (\d+)/.exec(output)?.[1]);
        fs.mkdirSync(path.join(folder, '.vscode'), { recursive: true });
        fs.writeFileSync(path.join(folder, '.vscode/launch.json'), launchJson({ request: 'attach', name: 'Attach', port: Number(ready) }));
        return { recorder: process };
    }
};

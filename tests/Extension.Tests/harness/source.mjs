// Debugging at the level of source: what users do with variables.
import assert from 'node:assert/strict';
import { choose, number, seek, STACK, start, text, VARIABLES } from './steps.mjs';
import { until } from './vscode.mjs';

/** vCPU 2 is about to store the new balance, from a function that was inlined into by gcc -O2. */
const STORE = '1197020';

const row = (window, view, what) => window.page.locator(`${view} .monaco-list-row`, { hasText: what }).first();

/** Evaluates in the Debug Console, and gives what it answers. */
async function evaluate(window, expression, answer) {
    await window.command('Debug Console: Focus on Debug Console View');
    // What is typed before the line has the focus is lost.
    await window.page.locator('.repl-input-wrapper .monaco-editor.focused').waitFor();
    await window.page.keyboard.type(expression);
    await window.page.keyboard.press('Enter');
    await until(`${expression} is ${answer}`, async () => (await window.page.locator('.repl .monaco-list-row').allInnerTexts()).some(line => answer.test(line)));
}

/** Locals open by themselves, structures unfold, values change in a diversion, and each came from somewhere. */
export async function variables(window) {
    await start(window);
    await seek(window, STORE);
    assert.match(await text(row(window, STACK, 'bank_deposit')), /bank\.c/);
    await row(window, VARIABLES, /^balance = ?30341/).waitFor();
    await row(window, VARIABLES, /^amount = ?26/).waitFor();
    await window.fold(VARIABLES, 'Registers');
    await window.expand(VARIABLES, 'Globals');
    await window.expand(VARIABLES, /^account = ?\{/);
    await row(window, VARIABLES, /^balance = ?30315/).waitFor();
    await window.shot('variables');

    // The mouse over a name shows its value.
    const name = window.page.locator('.monaco-editor .view-line', { hasText: 'balance += amount' }).locator('span', { hasText: 'balance' }).last();
    await name.hover();
    await until('a hover', async () => /30341/.test(await text(window.page.locator('.debug-hover-widget').first())));
    await window.shot('variables-hover');
    await window.page.keyboard.press('Escape');

    await evaluate(window, 'account.balance + amount == balance', /^1$/);
    await evaluate(window, '*account.mcsLock.name@7', /account/);
    await evaluate(window, 'kernel_cr3()', /would run the guest/);
    await evaluate(window, 'call kernel_cr3()', /u64|0x[0-9a-f]+/);
    await evaluate(window, 'return', /1197020 of/);
    await window.shot('variables-console');
    await window.untilSettled();

    // Where the amount came from: out of the random numbers of a user program, through a system call's registers.
    await row(window, VARIABLES, /^amount = ?26/).waitFor();
    await choose(window, row(window, VARIABLES, /^amount = ?26/), 'Where Does This Value Come From?');
    const origin = window.page.locator('.pane', { has: window.page.locator('h3', { hasText: /^Origin$/i }) });
    await origin.locator('.monaco-list-row').nth(2).waitFor({ timeout: 60000 });
    await window.shot('variables-origin');
    const before = await window.position();
    await origin.locator('.monaco-list-row').nth(2).click();
    assert.ok(number(await window.moved(before, 'click on an origin')) < number(STORE));
}

/** Steps by source line back through a function that gcc inlined others into, and out of it to its caller. */
export async function reverse_steps_by_source(window) {
    await start(window);
    await seek(window, STORE);
    const lineOf = async () => /Ln (\d+)/.exec(await text(window.page.locator('.statusbar-item', { hasText: /Ln \d+/ }).first()))?.[1];
    await until('the line of the store', async () => await lineOf() === '43');
    let at = STORE;
    const lines = ['43'];
    for (const [key, what] of [['Alt+F10', 'step back'], ['Alt+F10', 'step back'], ['Alt+F11', 'reverse step into'], ['Shift+Alt+F11', 'reverse step out']]) {
        await window.page.keyboard.press(key);
        const now = await window.moved(at, what);
        assert.ok(number(now) < number(at), `${what} went from ${at} to ${now}`);
        at = now;
        await until('another line', async () => await lineOf() !== lines.at(-1));
        lines.push(await lineOf());
    }
    // gcc has left lines 42 and 40 no code of their own, and 39 is inlined: over checksum() to the addition, and from there to the caller's line.
    assert.deepEqual(lines.slice(0, 3), ['43', '41', '56']);
    await window.page.locator('.monaco-editor .debug-top-stack-frame-line').first().waitFor({ state: 'attached' });
    await window.shot('reverse-steps');
    assert.ok(number(await window.go('F10', at, 'step over')) > number(at));
}

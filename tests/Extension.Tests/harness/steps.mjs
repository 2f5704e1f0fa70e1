// What most scenarios do on their way.
import { until } from './vscode.mjs';

export const VARIABLES = '.debug-variables', STACK = '.debug-call-stack';
const openPanel = async (window, title) => {
    const tab = window.page.locator('.part.panel .composite-bar .action-item', { hasText: new RegExp(`^\\s*${title}\\s*$`, 'i') }).first();
    await tab.click();
};
export const view = async (window, title, name) => {
    await openPanel(window, title);
    return window.view(name);
};
export const text = locator => locator.innerText().then(value => value.replace(/\s+/g, ' ').trim());
export const number = position => Number(position.split(':')[0]);

/** Goes to a position through the command, as users do. */
export async function seek(window, position) {
    const before = await window.position();
    await window.ask(() => window.page.keyboard.press('Alt+F8'), position);
    return window.moved(before, `seek to ${position}`);
}

export async function start(window) {
    await window.startDebugging();
    await window.waitForStop();
}

/** Chooses from a context menu. VS Code takes no click right after it has opened one. */
export async function choose(window, target, label) {
    await target.click({ button: 'right' });
    const item = window.page.locator('.context-view .action-item', { hasText: label }).first();
    await item.waitFor();
    await until(`'${label}' is chosen`, async () => {
        await item.click({ timeout: 1000 }).catch(() => { });
        return await item.count() === 0;
    });
}

/** Opens a source by its name, at a line. */
export async function openSource(window, name, line) {
    await window.page.keyboard.press('Control+P');
    await window.page.locator('.quick-input-widget input.input').fill(name);
    await window.page.locator('.quick-input-list .monaco-list-row', { hasText: name }).first().click();
    await window.page.locator('.tab', { hasText: name }).waitFor();
    await window.ask(() => window.page.keyboard.press('Control+G'), `:${line}`);
}

/** Sets a breakpoint with the mouse. */
export async function clickGutter(window, line) {
    const { page } = window;
    const number = page.locator('.editor-instance .line-numbers', { hasText: new RegExp(`^${line}$`) }).first();
    const [row, margin] = [await number.boundingBox(), await page.locator('.editor-instance .margin').first().boundingBox()];
    await page.mouse.click(margin.x + 9, row.y + row.height / 2);
    await page.locator('.editor-instance .codicon-debug-breakpoint').first().waitFor();
}

/** Shift+F5; the session is over when its toolbar is gone. */
export async function stop(window) {
    await window.page.keyboard.press('Shift+F5');
    await window.page.locator('.debug-toolbar').waitFor({ state: 'hidden', timeout: 120000 });
}

// The views of locks and of calls.
import assert from 'node:assert/strict';
import { number, seek, start, text, view } from './steps.mjs';
import { until } from './vscode.mjs';

const LOCK = 'account.brokenLock';

/** Who holds a lock, since when and from where; to where it changes hands; its lane on the timeline. */
export async function locks_view(window) {
    await start(window);
    await seek(window, '50%');
    const locks = await view(window, 'Machine', 'locks');
    const row = locks.locator('tr.lock', { hasText: LOCK });
    await row.click();
    const details = locks.locator('tr.details');
    await until('the past is known', async () => (await text(details)).includes('Taken'));
    const before = await window.position();
    await details.getByRole('button', { name: 'Next wait' }).click();
    const waits = await window.moved(before, 'next wait');
    assert.ok(number(waits) > number(before));
    await until('it is contended', async () => /contended/.test(await text(row)));
    await until('who holds it is known', async () => await details.locator('.node.owner').count() > 0 && await details.locator('.node.waiter').count() > 0);
    const owner = await text(details.locator('.node.owner').first());
    assert.match(owner, /vCPU \d.* holds it since [\d,]+, [\d,]+ instructions from \w+/);
    await window.shot('locks');

    // To where it was taken, and where it was asked for.
    await details.locator('.node.owner .link[data-position]').first().click();
    const taken = await window.moved(waits, 'to where the owner has it since');
    assert.ok(number(taken) < number(waits));
    await until('the lock is held there', async () => /held/.test(await text(row)));
    await details.locator('.node.owner .link', { hasText: 'bank.c' }).first().click();
    await window.page.locator('.tab.active', { hasText: 'bank.c' }).waitFor();

    await details.getByRole('button', { name: 'Next release' }).click();
    const released = await window.moved(taken, 'next release');
    assert.ok(number(released) > number(taken));

    await details.getByRole('button', { name: 'Show in Timeline' }).click();
    const lanes = await window.view('timeline');
    await lanes.locator('.label', { hasText: LOCK }).waitFor();
    await window.shot('locks-lane');
}

/** Every call of a function; a click goes to one. */
export async function calls_view(window) {
    await start(window);
    await seek(window, '50%');
    await window.command('ttvm: Show Calls of Function');
    await window.answer('bank_deposit');
    const calls = await window.view('calls');
    await calls.locator('tbody tr').first().waitFor();
    const first = calls.locator('tbody tr').first();
    assert.match(await text(first), /\d/);
    const before = await window.position();
    await first.locator('.link').first().click();
    const entry = await window.moved(before, 'to the first call');
    assert.ok(number(entry) < number(before));
    await calls.locator('tbody tr.here').waitFor();
    await window.shot('calls');
}

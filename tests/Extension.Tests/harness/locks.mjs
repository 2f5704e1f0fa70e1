// The views of locks, of what is shared without them, and of calls.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { choose, number, seek, start, text, view } from './steps.mjs';
import { until } from './vscode.mjs';

const LOCK = 'account.brokenLock';
const guests = path.resolve(import.meta.dirname, '../../../guests/concurrency'), built = path.resolve(guests, '../../artifacts/guests');

/** One of guests/concurrency under a seed in place of the demo's recording, with its layout if it has one. */
const recordingOf = (guest, seed) => async (folder, ttvm) => {
    const layout = path.join(guests, 'layouts', `concurrency-${guest.replace('-broken', '')}.layout.json`);
    if (fs.existsSync(layout)) fs.copyFileSync(layout, path.join(folder, 'demo.layout.json'));
    fs.rmSync(path.join(folder, 'demo.ttvm'));
    // The broken ones end with what the guest says of itself.
    try {
        execFileSync(ttvm, ['record', '-q', '-o', path.join(folder, 'demo.ttvm'), '--kernel', path.join(built, `concurrency-${guest}.elf`), '--cpus', '4', '--memory', '32M', '--chaos', String(seed)]);
    } catch (error) {
        if (!fs.existsSync(path.join(folder, 'demo.ttvm'))) throw error;
    }
};

export const lockPreparations = { mcs_queue: recordingOf('mcs', 1), read_copy_update: recordingOf('rcu-list-broken', 3), channels: recordingOf('channel-broken', 1),
    lock_classes: recordingOf('classes', 1), swaps: recordingOf('stack-broken', 19),
    living_classes: folder => {
        fs.rmSync(path.join(folder, 'demo.ttvm'));
        fs.copyFileSync(path.join(built, 'concurrency-classes.elf'), path.join(folder, 'classes.elf'));
    } };

export const lockFiles = {
    living_classes: {
        '.vscode/launch.json': JSON.stringify({
            version: '0.2.0', configurations: [{
                type: 'ttvm', request: 'launch', name: 'Live', program: '${workspaceFolder}/classes.elf', recording: '${workspaceFolder}/live.ttvm', cpus: 4, memory: '32M', chaos: 1, stopOnEntry: true
            }]
        })
    }
};

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

/** The queue of an MCS lock with several who wait, as the list that it is; in a narrow pane too. */
export async function mcs_queue(window) {
    await start(window);
    const end = await seek(window, 'end');
    const locks = await view(window, 'Machine', 'locks');
    const row = locks.locator('tr.lock', { hasText: 'MCS' }).first();
    await row.click();
    const details = locks.locator('tr.details');
    await until('the past is known', async () => (await text(details)).includes('at most 3 waited'));
    await details.locator('.hint .link[data-position]').last().click();
    await window.moved(end, 'to where most waited');
    await until('three wait', async () => await details.locator('.node.waiter').count() === 3 && await details.locator('.node.owner').count() === 1);
    for (const place of ['1', '2', '3']) await row.locator('.mark', { hasText: place }).waitFor();
    await window.shot('mcs-queue');

    // What is cut off can be scrolled to, and the names stay.
    await window.page.setViewportSize({ width: 520, height: 900 });
    const scroll = locks.locator('.scroll');
    await until('narrow', async () => (await scroll.boundingBox()).width < 500);
    await scroll.evaluate(element => element.scrollTo(element.scrollWidth, 0));
    const pane = await scroll.boundingBox(), name = await row.locator('th').boundingBox(), last = await row.locator('td').last().boundingBox();
    assert.ok(name.x >= pane.x - 1 && name.x + name.width <= pane.x + pane.width, 'the name has left the pane');
    assert.ok(last.x + last.width <= pane.x + pane.width + 1 && last.x >= name.x + name.width - 1, `the last vCPU cannot be seen: ${JSON.stringify({ pane, name, last })}`);
    await window.shot('mcs-queue-narrow');
}

/** Readers, versions, and what was freed too early; to writes of a pointer and to a reader's beginning, both ways. */
export async function read_copy_update(window) {
    await start(window);
    await seek(window, 'end');
    const locks = await view(window, 'Machine', 'locks');
    await locks.getByRole('tab', { name: 'RCU' }).click();
    const finding = locks.locator('.findings p').first();
    await finding.waitFor();
    assert.match(await text(finding), /freed too early [\d,]+ Freed before its grace period had ended: vCPU \d frees nodes/);
    let here = await window.position();
    await finding.locator('.link').click();
    here = await window.moved(here, 'to the first finding');
    const reader = locks.locator('tr.reader').first();
    await until('a reader since when', async () => await reader.locator('.link[data-position]').count() > 0);
    await window.shot('rcu');

    const pointer = locks.locator('tr.pointer[data-name="list"]');
    await pointer.getByRole('button', { name: 'Last write of it' }).click();
    const written = await window.moved(here, 'to the last write of the list');
    assert.ok(number(written) < number(here));
    await pointer.getByRole('button', { name: 'Next write of it' }).click();
    const next = await window.moved(written, 'to the next write of the list');
    assert.ok(number(next) > number(written));
    await locks.getByRole('button', { name: 'Last enter' }).click();
    const entered = await window.moved(next, 'to where a reader entered');
    assert.ok(number(entered) < number(next));
    await locks.getByRole('button', { name: 'Last leave' }).click();
    assert.ok(number(await window.moved(entered, 'to where a reader leaves')) < number(entered));
    await window.shot('rcu-leaves');
}

/** Rings with messages under way; to a message's publication and receipt. */
export async function channels(window) {
    await start(window);
    await seek(window, '93%');
    const locks = await view(window, 'Machine', 'locks');
    await locks.getByRole('tab', { name: 'Channels' }).click();
    await until('findings', async () => await locks.locator('.findings p').count() === 4);
    assert.match(await text(locks.locator('.findings p').first()), /published before payload [\d,]+ vCPU 1 publishes message 1 of channels\[1\]/);
    const ring = locks.locator('.channel[data-name="channels[1]"]');
    await ring.locator('.slot.in-flight').first().click();
    await ring.locator('.message').waitFor();
    await until('when it was published', async () => await ring.locator('.message .link[data-position]').count() > 0);
    await window.shot('channels');
    const before = await window.position();
    await ring.getByRole('button', { name: 'Last publication of it' }).click();
    const published = await window.moved(before, 'to its publication');
    assert.ok(number(published) < number(before));
    await ring.getByRole('button', { name: 'Next receipt of it' }).click();
    assert.ok(number(await window.moved(published, 'to its receipt')) > number(published));
    await window.shot('channels-received');
}

/** Classes of locks that were taken in both orders, found when asked for; a click goes to where it shows. */
export async function lock_classes(window) {
    await start(window);
    const end = await seek(window, 'end');
    const locks = await view(window, 'Machine', 'locks');
    await locks.getByRole('button', { name: 'Check Classes of Locks' }).click();
    const finding = locks.locator('.findings p', { hasText: 'class inversion' });
    await finding.waitFor();
    assert.match(await text(finding), /Possible inversion between classes, dentries\[\] and inodes\[\]/);
    assert.match(await text(locks.locator('p.classes')), /1 pair of locks nested in their own class/);
    await window.shot('lock-classes');
    await finding.locator('.link').first().click();
    const there = await window.moved(end, 'to where the second order shows');
    assert.ok(number(there) < number(end));
    // Of the first order: one lock, and then the other.
    assert.equal(await finding.locator('.use').count(), 4);
    await finding.locator('.use', { hasText: 'inodes[0]' }).locator('.link').click();
    assert.ok(number(await window.moved(there, 'to the first lock of the first order')) < number(there));
    // It stays while the session goes elsewhere.
    await until('a lock is asked for there', async () => await locks.locator('tr.lock.contended').count() > 0);
    assert.equal(await finding.count(), 1);
    await window.shot('lock-classes-there');
}

/** Every attempt to change a word: who won, who was deceived; clicks go there, and from a lock to its own. */
export async function swaps(window) {
    await start(window);
    const end = await seek(window, 'end');
    const locks = await view(window, 'Machine', 'locks');
    await locks.getByRole('tab', { name: 'Swaps' }).click();
    await locks.getByLabel('Word').fill('stack');
    await locks.getByLabel('Word').press('Enter');
    await locks.locator('tr.swap.won').first().waitFor();
    const more = locks.getByRole('button', { name: 'More' });
    for (let pages = 0; await locks.locator('tr.swap.deceived').count() === 0 && pages < 10; pages++) {
        const count = await locks.locator('tr.swap').count();
        await more.click();
        await until('more of them', async () => await locks.locator('tr.swap').count() > count);
    }
    const deceived = locks.locator('tr.swap.deceived').first();
    assert.match(await text(deceived), /lock cmpxchg 0x\w+ 0x\w+ 0x\w+ deceived read at [\d,]+ stack_swap\+0x\w+ \(stack\.c:\d+\)/);
    await deceived.locator('.link[data-position]').last().click();
    const read = await window.moved(end, 'to where it was read');
    await deceived.locator('.link[data-position]').first().click();
    const won = await window.moved(read, 'to where it is deceived');
    assert.ok(number(won) > number(read));
    await until('it is marked', async () => await locks.locator('tr.swap.deceived.here').count() === 1);
    await deceived.scrollIntoViewIfNeeded();
    await window.shot('swaps');

    await locks.getByRole('tab', { name: 'Locks' }).click();
    const row = locks.locator('tr.lock').first();
    await row.click();
    await locks.getByRole('button', { name: 'Show Swaps' }).click();
    await until('the lock\'s own', async () => await locks.locator('tr.swap', { hasText: /xchg|cmpxchg|mov/ }).count() > 0);
    await window.shot('swaps-of-lock');
}

/** Every call of a function; a click goes to one. */
export async function calls_view(window) {
    await start(window);
    await seek(window, '50%');
    await window.ask(() => window.command('ttvm: Show Calls of Function'), 'bank_deposit');
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

/** What is known of classes is of a living guest's past as it was: it is said so, and asked for again. */
export async function living_classes(window) {
    await start(window);
    const bytes = await view(window, 'Memory', 'memory');
    await bytes.getByLabel('Address or expression').fill('&acquisitionCount');
    await bytes.getByRole('button', { name: 'Show', exact: true }).click();
    await choose(window, bytes.locator('.row:not(.head) .byte').first(), 'Break on Write');
    const written = await window.go('F5', await window.position(), 'to the first acquisition');
    const locks = await view(window, 'Machine', 'locks');
    const check = locks.getByRole('button', { name: 'Check Classes of Locks' }), finding = locks.locator('.findings p', { hasText: 'class inversion' });
    await check.click();
    await locks.locator('p.empty.classes').waitFor({ timeout: 60000 });
    assert.equal(await finding.count(), 0);
    assert.equal(await check.count(), 0);
    await window.page.locator('.debug-breakpoints').hover();
    await window.page.locator('.pane-header .action-label[aria-label^="Remove All Breakpoints"]').click();
    await window.go('F5', written, 'to the end');
    await locks.locator('.hint', { hasText: 'The guest has lived on' }).waitFor();
    await window.shot('living-classes-outdated');
    await check.click();
    await finding.waitFor({ timeout: 60000 });
    await window.shot('living-classes');
}

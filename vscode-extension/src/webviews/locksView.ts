import type { TtvmFound, TtvmLock, TtvmLockFinding, TtvmLockFindings, TtvmLockHistory, TtvmLockSeekArguments, TtvmLocks, TtvmLockTotals, TtvmLockWaiter } from '../protocol';
import { withThousands } from '../text';
import type { ViewState } from '../views/messages';
import { failure, h, latest, noSession, placeholder, request, root, send, start } from './page';

// Locks: a matrix of locks and vCPUs. O owns, 1 to n wait in this order, C is corrupt. Below a lock that is chosen: its queue as the list that it is in memory, and
// ways to go to where it changes hands. Above: what was wrong with locks anywhere in the recording.

/** Locks that are drawn; the others are behind them, free. */
const MAXIMUM_LOCKS = 200;

let state: ViewState | undefined;
let selected: string | undefined;
let totals: TtvmLockTotals | undefined;
let known: { locks: TtvmLocks; threads: number[] } | undefined;
let findings: TtvmLockFindings | undefined;
const note = h('span', { class: 'note', role: 'status' });

const refresh = latest(async () => {
    if (!state?.session || !state.isStopped) return;
    try {
        const [locks, { threads }] = await Promise.all([request<TtvmLocks>('ttvm/locks'), request<{ threads: { id: number }[] }>('threads')]);
        known = { locks, threads: threads.map(thread => thread.id) };
        if (!findings?.isComplete) findings = await request<TtvmLockFindings>('ttvm/lockFindings');
        await readTotals();
        draw();
    } catch (error) {
        root.replaceChildren(failure(error));
    }
});

async function readTotals(): Promise<void> {
    totals = selected === undefined ? undefined : (await request<TtvmLockHistory>('ttvm/lockHistory', { lock: selected, count: 0 })).locks[0];
}

function draw(): void {
    if (!known) return;
    const { locks, past, pastProblem, layoutProblems, problem } = known.locks;
    const head = [...layoutProblems.map(text => h('p', { class: 'hint problem' }, text)), findingsOf(findings?.findings ?? [])];
    note.textContent = past === 'learning' ? 'Working out the past: who holds a spin lock, and since when, is not known yet.' : past === 'unknown' ? pastProblem ?? '' : '';
    if (locks.length === 0 && !findings?.findings.length) {
        root.replaceChildren(placeholder('No locks', problem ?? 'Name a file that declares layouts of locks under "layouts" in launch.json.'));
        return;
    }
    const scroll = root.querySelector('.scroll')?.scrollTop ?? 0;
    root.replaceChildren(h('div', { class: 'fill scroll' }, ...head, locks.length > 0 ? matrix(locks, known.threads) : h('p', { class: 'empty' }, problem),
        h('p', { class: 'legend' }, mark('O'), ' owns  ', mark('1'), ' waits, first in the queue  ', mark('C'), ' corrupt  ', note)));
    root.querySelector('.scroll')!.scrollTop = scroll;
}

function matrix(locks: TtvmLock[], threads: number[]): HTMLElement {
    const heads = ['Lock', 'State', ...threads.map(id => `vCPU ${id - 1}`)];
    const hasOthers = locks.some(lock => lock.queue.some(waiter => waiter.threadId === undefined));
    if (hasOthers) heads.push('Others');
    // Those in use first: a kernel declares many that are free.
    const shown = [...locks].sort((a, b) => Number(a.state === 'free') - Number(b.state === 'free')).slice(0, MAXIMUM_LOCKS);
    const rows = shown.flatMap(lock => {
        const isOpen = selected === lock.address;
        const row = h('tr', {
            role: 'row', tabindex: 0, class: `lock ${lock.state}`, 'aria-expanded': String(isOpen), title: 'Show the queue', 'data-address': lock.address, onclick: () => toggle(lock),
            onkeydown: (event: KeyboardEvent) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); toggle(lock); } }
        }, h('th', { scope: 'row' }, h('span', { class: 'twistie', 'aria-hidden': 'true' }), h('span', {}, lock.name), h('span', { class: 'kind' }, lock.kind)),
            h('td', {}, h('span', { class: `badge ${lock.state}` }, lock.state)),
            ...threads.map(id => cellOf(lock, lock.queue.filter(waiter => waiter.threadId === id))),
            hasOthers && cellOf(lock, lock.queue.filter(waiter => waiter.threadId === undefined)));
        return isOpen ? [row, h('tr', { class: 'details' }, h('td', { colspan: heads.length }, details(lock)))] : [row];
    });
    return h('table', { class: 'grid locks', 'aria-label': 'Locks and who holds or awaits them' },
        h('thead', {}, h('tr', {}, ...heads.map((head, i) => h('th', { scope: 'col', class: i > 1 ? 'center' : '' }, head)))), h('tbody', {}, ...rows));
}

function mark(text: string): HTMLElement { return h('span', { class: `mark ${text === 'O' ? 'owner' : text === 'C' ? 'corrupt' : 'waiter'}` }, text); }

/** O, or the place among those who wait. */
function placeOf(lock: TtvmLock, waiter: TtvmLockWaiter): string {
    return waiter.role === 'owner' ? 'O' : String(1 + lock.queue.filter(each => each.role === 'waiter').indexOf(waiter));
}

function cellOf(lock: TtvmLock, waiters: TtvmLockWaiter[]): HTMLElement {
    return h('td', { class: 'center' }, ...waiters.map(waiter => {
        const element = mark(lock.state === 'corrupt' ? 'C' : placeOf(lock, waiter));
        element.title = waiter.description;
        element.setAttribute('aria-label', waiter.description);
        return element;
    }), lock.state === 'corrupt' && waiters.length === 0 ? mark('C') : null);
}

// ---- One lock.

function details(lock: TtvmLock): HTMLElement {
    return h('div', {}, h('p', {}, `${lock.kind} lock at `, addressLink(lock.address), lock.words && `, ${lock.words}`, lock.problem ? h('strong', { class: 'problem' }, ` ${lock.problem}`) : null),
        ways(lock), totals && totals.address === lock.address ? h('p', { class: 'hint' }, ...totalsText(totals)) : null,
        lock.queue.length === 0 ? h('p', {}, 'Nobody holds it or waits for it.') : queue(lock));
}

/** Buttons to where it changes hands. */
function ways(lock: TtvmLock): HTMLElement {
    const events: [TtvmLockSeekArguments['event'], string][] = [['wait', 'Wait'], ['acquire', 'Acquire'], ['release', 'Release']];
    const way = (event: TtvmLockSeekArguments['event'], text: string, reverse: boolean) => h('button', {
        class: 'secondary', title: `Go to the ${reverse ? 'last' : 'next'} ${event}`, 'aria-label': `${reverse ? 'Last' : 'Next'} ${event}`, onclick: () => void seekLock(lock, event, reverse)
    }, reverse ? `‹ ${text}` : `${text} ›`);
    return h('p', { class: 'ways' }, ...events.map(([event, text]) => way(event, text, true)), ...events.map(([event, text]) => way(event, text, false)),
        h('button', { class: 'secondary', title: 'Who held it and how many waited, over the recording', onclick: () => send({ type: 'show', view: 'timeline', address: lock.address }) }, 'Show in Timeline'));
}

function totalsText(one: TtvmLockTotals): (string | HTMLElement)[] {
    const parts: (string | HTMLElement)[] = [`Taken ${withThousands(one.taken)} times, ${withThousands(one.contended)} contended`];
    if (one.longestWaitAt && one.contended > 0) parts.push(`; longest wait ${withThousands(one.longestWait)} instructions, from `, seekLink(one.longestWaitAt));
    if (one.longestHeldAt) parts.push(`; held longest ${withThousands(one.longestHeld)} instructions, from `, seekLink(one.longestHeldAt));
    if (one.maximumWaitersAt) parts.push(`; at most ${one.maximumWaiters} waited, first at `, seekLink(one.maximumWaitersAt));
    return parts;
}

/** The list as it is in memory: one box a node, an arrow where a node's link leads to the next, a broken one where it does not yet. */
function queue(lock: TtvmLock): HTMLElement {
    const { queue: waiters } = lock;
    const items = waiters.flatMap((waiter, i) => {
        const next = waiters[i + 1];
        const box = h('li', { class: `node ${waiter.role}` }, h('div', {}, mark(placeOf(lock, waiter)), ` ${waiter.description}`),
            waiter.since && h('div', { class: 'hint' }, waiter.role === 'owner' ? 'since ' : 'waits since ', seekLink(waiter.since), ...age(waiter.since)),
            waiter.from && h('div', { class: 'hint' }, 'from ', sourceLink(waiter)),
            waiter.node && h('div', { class: 'hint' }, 'node ', addressLink(waiter.node), waiter.next !== undefined && ` next ${/^0x0*$/.test(waiter.next) ? 'none' : waiter.next}`,
                waiter.mustWait !== undefined && h('span', { class: `badge ${waiter.mustWait ? 'contended' : 'held'}` }, waiter.mustWait ? 'must wait' : 'may go')));
        return next ? [box, arrow(waiter, next)] : [box];
    });
    return h('ol', { class: 'queue' }, ...items);
}

function arrow(from: TtvmLockWaiter, to: TtvmLockWaiter): HTMLElement {
    // Without nodes there is an order, and no link.
    if (!from.node || !to.node || from.next === undefined) return h('li', { class: 'arrow faint', 'aria-hidden': 'true' }, '·');
    const isLinked = BigInt(from.next) === BigInt(to.node);
    return h('li', { class: isLinked ? 'arrow' : 'arrow problem', title: isLinked ? 'next' : 'Not linked: between the swap of the tail and the store to next' }, isLinked ? '→' : '⇢ not linked yet');
}

function age(since: string): string[] {
    const here = state?.position?.position;
    if (here === undefined) return [];
    const count = BigInt(here.split(':')[0]) - BigInt(since.split(':')[0]);
    return [`, ${withThousands(String(count))} instructions`];
}

function sourceLink({ from }: TtvmLockWaiter): HTMLElement | string {
    const path = from!.source?.path, line = from!.line;
    return path && line !== undefined && !from!.source?.sourceReference
        ? h('button', { class: 'link', title: 'Show the source', onclick: () => send({ type: 'source', path, line }) }, from!.text) : from!.text;
}

function addressLink(address: string): HTMLElement {
    return h('button', { class: 'link', title: 'Show in the Memory view', onclick: () => send({ type: 'show', view: 'memory', address }) }, address);
}

function seekLink(position: string): HTMLElement {
    return h('button', { class: 'link', title: 'Go there', 'data-position': position, onclick: () => seek(position) }, withThousands(position));
}

// ---- Going elsewhere.

function seek(position: string): void { void request('ttvm/seek', { position }).catch(tell); }

async function seekLock(lock: TtvmLock, event: TtvmLockSeekArguments['event'], reverse: boolean): Promise<void> {
    try {
        const { found, description } = await request<TtvmFound>('ttvm/lockSeek', { lock: lock.address, event, reverse });
        if (!found) note.textContent = description;
    } catch (error) {
        tell(error as Error);
    }
}

function tell(error: Error): void { note.textContent = error.message; }

// ---- What was wrong.

function findingsOf(all: TtvmLockFinding[]): HTMLElement | null {
    if (all.length === 0) return null;
    return h('section', { class: 'findings', 'aria-label': 'What was wrong with locks' },
        ...all.map(one => h('p', {}, h('span', { class: 'badge corrupt' }, one.kind.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)), ' ', seekLink(one.position), ` ${one.text}`)));
}

function toggle(lock: TtvmLock): void {
    selected = selected === lock.address ? undefined : lock.address;
    totals = undefined;
    draw();
    root.querySelector<HTMLElement>(`tr.lock[data-address="${lock.address}"]`)?.focus();
    void readTotals().then(draw, tell);
}

function onState(next: ViewState): void {
    if (next.session !== state?.session) [selected, totals, known, findings] = [undefined, undefined, undefined, undefined];
    state = next;
    if (!next.session) root.replaceChildren(noSession('Locks shows who holds which lock, and who waits for it in which order.'));
    else if (next.change === 'moved' || next.change === 'session' || next.change === 'locks') refresh();
}

start(onState, undefined, text => { if (text) note.textContent = text; });

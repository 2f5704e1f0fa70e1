import type { TtvmChannels, TtvmLock, TtvmLockClasses, TtvmLockFindings, TtvmLockHistory, TtvmLockSeekArguments, TtvmLocks, TtvmLockTotals, TtvmLockWaiter, TtvmRcu } from '../protocol';
import { withThousands } from '../text';
import type { ViewState } from '../views/messages';
import { channelsPage, forgetChannels } from './channelsPage';
import { addressLink, findings as findingsOf, seekLink as linkTo, sourceLink, ways as waysOf } from './links';
import { failure, h, latest, noSession, placeholder, remember, remembered, request, root, send, start } from './page';
import { forgetRcu, rcuPage } from './rcuPage';
import { forgetSwaps, showSwapsOf, swapsPage } from './swapsPage';

// Locks: a matrix of locks and vCPUs. O owns, 1 to n wait in this order, C is corrupt. Below a lock that is chosen: its queue as the list that it is in memory, and
// ways to go to where it changes hands. Above: what was wrong with locks, and on demand with classes of locks, anywhere in the recording. Where the guest has read-copy-update or
// channels, these have tabs of their own; words that are changed without a lock always do.

/** Locks that are drawn; the others are behind them, free. */
const MAXIMUM_LOCKS = 200;

let state: ViewState | undefined;
let selected: string | undefined;
let totals: TtvmLockTotals | undefined;
let known: { locks: TtvmLocks; threads: number[] } | undefined;
let findings: TtvmLockFindings | undefined;
let classes: TtvmLockClasses | 'wanted' | undefined;
/** How far the recording reached when they were found: that of a guest that lives reaches further later. */
let findingsUpTo: string | undefined;
let classesUpTo: string | undefined;
const note = h('span', { class: 'note', role: 'status' });

type Tab = 'locks' | 'rcu' | 'channels' | 'swaps';
const TABS: [Tab, string][] = [['locks', 'Locks'], ['rcu', 'RCU'], ['channels', 'Channels'], ['swaps', 'Swaps']];
const options = remembered<{ tab: Tab }>({ tab: 'locks' });
let rcu: TtvmRcu | undefined;
let channels: TtvmChannels | undefined;

const refresh = latest(async () => {
    if (!state?.session || !state.isStopped) return;
    try {
        // What is not shown is only asked for until it is there.
        if (options.tab === 'rcu' || !hasTab('rcu')) rcu = await request<TtvmRcu>('ttvm/rcu');
        if (options.tab === 'channels' || !hasTab('channels')) channels = await request<TtvmChannels>('ttvm/channels');
        if (tab() === 'locks') await readLocks();
        await draw();
    } catch (error) {
        root.replaceChildren(failure(error));
    }
});

// One that was chosen before stays while it is being found out whether the guest has it.
function hasTab(name: Tab): boolean {
    if (name === 'locks' || name === 'swaps') return true;
    if (name === options.tab && isBeingFound(name)) return true;
    return name === 'rcu' ? rcu?.gracePeriod !== undefined : (channels?.channels.length ?? 0) > 0;
}

function isBeingFound(name: Tab): boolean { return (name === 'rcu' ? rcu?.isBeingFound : name === 'channels' ? channels?.isBeingFound : name === 'locks' && known?.locks.isBeingFound) === true; }

function tab(): Tab { return hasTab(options.tab) ? options.tab : 'locks'; }

async function readLocks(): Promise<void> {
    const [locks, { threads }] = await Promise.all([request<TtvmLocks>('ttvm/locks'), request<{ threads: { id: number }[] }>('threads')]);
    known = { locks, threads: threads.map(thread => thread.id) };
    if (locks.isBeingFound) return;
    if (!findings?.isComplete || findingsUpTo !== state?.position?.end) {
        findingsUpTo = state?.position?.end;
        findings = await request<TtvmLockFindings>('ttvm/lockFindings');
    }
    await readTotals();
}

async function readTotals(): Promise<void> {
    totals = selected === undefined ? undefined : (await request<TtvmLockHistory>('ttvm/lockHistory', { lock: selected, count: 0 })).locks[0];
}

async function draw(): Promise<void> {
    const shown = tab();
    const past = shown === 'locks' ? known?.locks.past : shown === 'rcu' ? rcu?.past : shown === 'channels' ? channels?.past : undefined;
    if (shown !== 'swaps') note.textContent = isBeingFound(shown) ? '' : past === 'learning' ? `Working out the past: ${LEARNING[shown]} is not known yet.` : past === 'unknown' && shown === 'locks' ? known?.locks.pastProblem ?? '' : '';
    const content = await contentOf(shown);
    const bar = h('div', { class: 'bar' }, tabs(shown), note);
    const old = root.querySelector<HTMLElement>('.scroll'), scroll = old?.dataset.tab === shown ? [old.scrollTop, old.scrollLeft] : [0, 0];
    root.replaceChildren(h('div', { class: 'fill' }, bar, h('div', { class: 'grow scroll', 'data-tab': shown }, ...content)));
    root.querySelector('.scroll')!.scrollTo(scroll[1], scroll[0]);
}

async function contentOf(shown: Tab): Promise<HTMLElement[]> {
    const redraw = () => void draw();
    switch (shown) {
        case 'locks': return locksPage();
        case 'rcu': return rcu?.isBeingFound ? [LOOKING.rcu()] : rcuPage(rcu!, state?.position?.position, tell, redraw);
        case 'channels': return channels?.isBeingFound ? [LOOKING.channels()] : channelsPage(channels!, tell, redraw);
        case 'swaps': return swapsPage(state?.position?.position, tell, redraw);
    }
}

const LOOKING = {
    rcu: () => placeholder('Looking for read-copy-update', 'What the guest has of it is being found out, once a session. It shows as soon as it is known.'),
    channels: () => placeholder('Looking for channels', 'What channels the guest has is being found out, once a session. They show as soon as they are known.')
};

const LEARNING = { locks: 'who holds a spin lock, and since when,', rcu: 'since when readers are inside, and what was published before,', channels: 'when messages were published', swaps: 'nothing' };

function tabs(shown: Tab): HTMLElement {
    const all = TABS.filter(([name]) => hasTab(name));
    return h('div', { class: 'tabs', role: 'tablist' }, ...all.map(([name, text]) =>
        h('button', { class: 'tab', role: 'tab', 'aria-selected': String(name === shown), onclick: () => choose(name) }, text)));
}

function choose(name: Tab): void {
    options.tab = name;
    remember(options);
    refresh();
}

function locksPage(): HTMLElement[] {
    if (!known) return [];
    const { locks, layoutProblems, problem, isBeingFound } = known.locks;
    if (isBeingFound) return [placeholder('Looking for the locks', 'What locks the guest has is being found out, once a session. They show as soon as they are known.')];
    const list = findingsOf('What was wrong with locks', findings?.findings ?? [], tell);
    if (locks.length === 0 && !list) return [placeholder('No locks', problem ?? 'Name a file that declares layouts of locks under "layouts" in launch.json.')];
    return [
        ...layoutProblems.map(text => h('p', { class: 'hint problem' }, text)), ...(list ? [list] : []), ...classesPart(),
        locks.length > 0 ? matrix(locks, known.threads) : h('p', { class: 'empty' }, problem),
        h('p', { class: 'legend' }, mark('O'), ' owns  ', mark('1'), ' waits, first in the queue  ', mark('C'), ' corrupt')
    ];
}

/** Classes of locks that were taken in both orders: a search of its own, once it is asked for. */
function classesPart(): HTMLElement[] {
    const upTo = classesUpTo !== undefined && classesUpTo !== state?.position?.end ? classesUpTo : undefined;
    const button = h('p', { class: 'ways classes' }, h('button', {
        class: 'secondary', disabled: classes === 'wanted', title: 'Locks of an array, or initialised by the same instruction, are of one class: two classes that are taken in both orders may deadlock',
        onclick: findClasses
    }, 'Check Classes of Locks'), classes === 'wanted' ? h('button', { onclick: () => send({ type: 'cancel' }) }, 'Cancel')
        : upTo !== undefined && h('span', { class: 'hint' }, ` The guest has lived on: what follows is of positions up to ${withThousands(upTo)}.`));
    if (classes === undefined || classes === 'wanted') return [button];
    const { findings: all, nestedInOwnClass: nested } = classes;
    const list = findingsOf('Classes of locks that were taken in both orders', all, tell);
    const pairs = nested > 0 ? ` ${withThousands(nested)} ${nested === 1 ? 'pair' : 'pairs'} of locks nested in their own class, as parent and child are: their order is not looked at.` : '';
    return [...(upTo === undefined ? [] : [button]), ...(list ? [list] : []), h('p', { class: 'empty classes' }, `${all.length === 0 ? 'No two classes of locks were taken in both orders.' : ''}${pairs}`)];
}

function findClasses(): void {
    const own = state?.session;
    classes = 'wanted';
    void draw();
    // The guest stands while it is answered, and by then its stop has been told here.
    void request<TtvmLockClasses>('ttvm/lockClasses').then(answer => { if (own === state?.session) [classes, classesUpTo] = [answer, state?.position?.end]; }, (error: Error) => {
        if (own === state?.session) [classes, classesUpTo] = [undefined, undefined];
        tell(error.message);
    }).then(draw);
}

function matrix(locks: TtvmLock[], threads: number[]): HTMLElement {
    const heads: (string | HTMLElement)[] = ['Lock', 'State', ...threads.map(id => h('span', { title: `vCPU ${id - 1}` }, h('span', { class: 'long' }, 'vCPU '), String(id - 1)))];
    const hasOthers = locks.some(lock => lock.queue.some(waiter => waiter.threadId === undefined));
    if (hasOthers) heads.push('Others');
    // Those in use first: a kernel declares many that are free.
    const shown = [...locks].sort((a, b) => Number(a.state === 'free') - Number(b.state === 'free')).slice(0, MAXIMUM_LOCKS);
    const rows = shown.flatMap(lock => {
        const isOpen = selected === lock.address;
        const row = h('tr', {
            role: 'row', tabindex: 0, class: `lock ${lock.state}`, 'aria-expanded': String(isOpen), title: 'Show the queue', 'data-address': lock.address, onclick: () => toggle(lock),
            onkeydown: (event: KeyboardEvent) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); toggle(lock); } }
        }, h('th', { scope: 'row', title: lock.name }, h('span', { class: 'twistie', 'aria-hidden': 'true' }), h('span', {}, lock.name), h('span', { class: 'kind' }, lock.kind)),
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
    return h('p', { class: 'ways' }, ...waysOf('ttvm/lockSeek', events, (event, reverse) => ({ lock: lock.address, event, reverse }), tell),
        h('button', { class: 'secondary', title: 'Who held it and how many waited, over the recording', onclick: () => send({ type: 'show', view: 'timeline', address: lock.address }) }, 'Show in Timeline'),
        h('button', { class: 'secondary', title: 'Every change of its word, and every attempt', onclick: () => showSwaps(lock) }, 'Show Swaps'));
}

function showSwaps(lock: TtvmLock): void {
    options.tab = 'swaps';
    remember(options);
    showSwapsOf(lock.address, tell, () => void draw());
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
            waiter.from && h('div', { class: 'hint' }, 'from ', sourceLink(waiter.from)),
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

function seekLink(position: string): HTMLElement { return linkTo(position, tell); }

function tell(text: string): void { note.textContent = text; }

function toggle(lock: TtvmLock): void {
    selected = selected === lock.address ? undefined : lock.address;
    totals = undefined;
    void draw().then(() => root.querySelector<HTMLElement>(`tr.lock[data-address="${lock.address}"]`)?.focus());
    void readTotals().then(draw, (error: Error) => tell(error.message));
}

function onState(next: ViewState): void {
    if (next.session !== state?.session) {
        [selected, totals, known, findings, classes, rcu, channels] = [undefined, undefined, undefined, undefined, undefined, undefined, undefined];
        [findingsUpTo, classesUpTo] = [undefined, undefined];
        forgetRcu();
        forgetChannels();
        forgetSwaps();
    }
    state = next;
    if (!next.session) root.replaceChildren(noSession('Locks shows who holds which lock, and who waits for it in which order.'));
    else if (next.change === 'moved' || next.change === 'session' || next.change === 'locks') refresh();
}

start(onState, undefined, text => { if (text) tell(text); });

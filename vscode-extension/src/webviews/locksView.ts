import type { TtvmLock, TtvmLocks, TtvmLockWaiter } from '../protocol';
import type { ViewState } from '../views/messages';
import { failure, h, latest, noSession, placeholder, request, root, send, start } from './page';

// Locks: a matrix of locks and vCPUs. O owns, 1 to n wait in this order, C is corrupt.

let state: ViewState | undefined;
let selected: string | undefined;

const refresh = latest(async () => {
    if (!state?.session || !state.isStopped) return;
    try {
        const [{ locks, problem }, { threads }] = await Promise.all([request<TtvmLocks>('ttvm/locks'), request<{ threads: { id: number }[] }>('threads')]);
        if (locks.length === 0) root.replaceChildren(placeholder('No locks', problem ?? 'Name a file that declares layouts of locks under "layouts" in launch.json.'));
        else draw(locks, threads.map(thread => thread.id));
    } catch (error) {
        root.replaceChildren(failure(error));
    }
});

function draw(locks: TtvmLock[], threads: number[]): void {
    const heads = ['Lock', 'State', ...threads.map(id => `vCPU ${id - 1}`)];
    const hasOthers = locks.some(lock => lock.queue.some(waiter => waiter.threadId === undefined));
    if (hasOthers) heads.push('Others');
    const rows = locks.flatMap(lock => {
        const isOpen = selected === lock.address;
        const row = h('tr', {
            role: 'row', tabindex: 0, class: `lock ${lock.state}`, 'aria-expanded': String(isOpen), title: 'Show the queue', onclick: () => toggle(lock, locks, threads),
            onkeydown: (event: KeyboardEvent) => { if (event.key === 'Enter' || event.key === ' ') { event.preventDefault(); toggle(lock, locks, threads); } }
        }, h('th', { scope: 'row' }, h('span', { class: 'twistie', 'aria-hidden': 'true' }), h('span', {}, lock.name), h('span', { class: 'kind' }, lock.kind)),
            h('td', {}, h('span', { class: `badge ${lock.state}` }, lock.state)),
            ...threads.map(id => cellOf(lock, lock.queue.filter(waiter => waiter.threadId === id))),
            hasOthers && cellOf(lock, lock.queue.filter(waiter => waiter.threadId === undefined)));
        return isOpen ? [row, h('tr', { class: 'details' }, h('td', { colspan: heads.length }, details(lock)))] : [row];
    });
    root.replaceChildren(h('div', { class: 'fill scroll' },
        h('table', { class: 'grid locks', 'aria-label': 'Locks and who holds or awaits them' },
            h('thead', {}, h('tr', {}, ...heads.map((head, i) => h('th', { scope: 'col', class: i > 1 ? 'center' : '' }, head)))), h('tbody', {}, ...rows)),
        h('p', { class: 'legend' }, mark('O'), ' owns  ', mark('1'), ' waits, first in the queue  ', mark('C'), ' corrupt')));
}

function mark(text: string): HTMLElement { return h('span', { class: `mark ${text === 'O' ? 'owner' : text === 'C' ? 'corrupt' : 'waiter'}` }, text); }

function cellOf(lock: TtvmLock, waiters: TtvmLockWaiter[]): HTMLElement {
    return h('td', { class: 'center' }, ...waiters.map(waiter => {
        const text = lock.state === 'corrupt' ? 'C' : waiter.role === 'owner' ? 'O' : String(waiter.order);
        const element = mark(text);
        element.title = waiter.description;
        element.setAttribute('aria-label', waiter.description);
        return element;
    }), lock.state === 'corrupt' && waiters.length === 0 ? mark('C') : null);
}

function details(lock: TtvmLock): HTMLElement {
    const link = (address: string) => h('button', { class: 'link', title: 'Show in the Memory view', onclick: () => send({ type: 'show', view: 'memory', address }) }, address);
    return h('div', {}, h('p', {}, `${lock.kind} lock at `, link(lock.address), lock.problem ? h('strong', { class: 'problem' }, ` ${lock.problem}`) : null),
        lock.queue.length === 0 ? h('p', {}, 'Nobody holds it or waits for it.') : h('ol', { class: 'queue' }, ...lock.queue.map(waiter =>
            h('li', {}, mark(waiter.role === 'owner' ? 'O' : String(waiter.order)), ` ${waiter.description} `, waiter.node ? link(waiter.node) : null))));
}

function toggle(lock: TtvmLock, locks: TtvmLock[], threads: number[]): void {
    selected = selected === lock.address ? undefined : lock.address;
    draw(locks, threads);
    root.querySelectorAll<HTMLElement>('tr.lock')[locks.indexOf(lock)]?.focus();
}

function onState(next: ViewState): void {
    state = next;
    if (!next.session) root.replaceChildren(noSession('Locks shows who holds which lock, and who waits for it in which order.'));
    else if (next.change === 'moved' || next.change === 'session') refresh();
}

start(onState);

import type { FromView, ToView, ViewState } from '../views/messages';

// What the scripts of all views share: talking to the extension, and building elements.

interface Host { postMessage(message: unknown): void; getState(): unknown; setState(state: unknown): void }
declare function acquireVsCodeApi(): Host;
const host = acquireVsCodeApi();

export const root = document.getElementById('root')!;
export const send = (message: FromView): void => host.postMessage(message);

/** What survives when the view is hidden and shown again. */
export function remembered<T extends object>(defaults: T): T { return { ...defaults, ...(host.getState() as Partial<T> | undefined) }; }
export const remember = (state: object): void => host.setState(state);

let lastId = 0;
const waiting = new Map<number, { resolve(body: unknown): void; reject(error: Error): void }>();

/** A request to the debug server. */
export function request<T>(command: string, args?: object): Promise<T> {
    const id = ++lastId;
    send({ type: 'request', id, command, arguments: args });
    return new Promise<T>((resolve, reject) => waiting.set(id, { resolve: body => resolve(body as T), reject }));
}

/** Calls back whenever the session moves, starts or ends, when an address is to be shown, and with the progress of what takes long. */
export function start(onState: (state: ViewState) => void, onAddress?: (address: string) => void, onProgress?: (text: string | undefined) => void): void {
    window.addEventListener('message', event => {
        const message = event.data as ToView;
        if (message.type === 'state') {
            showWhileRunning(message.state);
            onState(message.state);
        }
        else if (message.type === 'address') onAddress?.(message.address);
        else if (message.type === 'progress') onProgress?.(message.text);
        else if (message.type === 'answer') {
            const caller = waiting.get(message.id);
            waiting.delete(message.id);
            if (message.error === undefined) caller?.resolve(message.body);
            else caller?.reject(new Error(message.error));
        }
    });
    send({ type: 'ready' });
}

/** Until the first stop there is nothing to see of most things. */
function showWhileRunning({ session, position, isStopped, stopCount }: ViewState): void {
    const isEmpty = root.childElementCount === 0 || root.firstElementChild?.classList.contains('placeholder');
    if (!session || isStopped || stopCount > 0 || !isEmpty) return;
    root.replaceChildren(position?.isLive ? placeholder('The guest is running', 'Pause it (F6) to look into it.') : placeholder('Starting', 'This shows as soon as the machine stands.'));
}

export type Child = Node | string | undefined | null | false;
type Attributes = { [name: string]: string | number | boolean | undefined | ((event: never) => void) };

/** An element: attributes by name, listeners as `onclick` and the like. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Attributes = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) {
        if (value === undefined || value === false) continue;
        if (typeof value === 'function') element.addEventListener(name.slice(2), value as EventListener);
        else element.setAttribute(name, value === true ? '' : String(value));
    }
    element.append(...children.filter(child => child !== undefined && child !== null && child !== false));
    return element;
}

/** Instead of an empty view: what is missing, and what to do. */
export function placeholder(title: string, text: string, ...actions: Child[]): HTMLElement {
    return h('div', { class: 'placeholder', role: 'status' }, h('h2', {}, title), h('p', {}, text), actions.length > 0 && h('p', { class: 'actions' }, ...actions));
}

export function noSession(what: string): HTMLElement {
    return placeholder('No session', what, h('button', { onclick: () => send({ type: 'start' }) }, 'Start Debugging (F5)'));
}

export function failure(error: unknown): HTMLElement {
    const message = error instanceof Error ? error.message : String(error);
    if (/^there is no session$/i.test(message)) return noSession('The session is over.');
    if (/not supported|unrecognized/i.test(message)) return placeholder('Not supported by this server', 'The debug server of this session is older than the extension and cannot tell.');
    return placeholder('This could not be read', `${message.charAt(0).toUpperCase()}${message.slice(1)}${/[.!?]$/.test(message) ? '' : '.'}`);
}

/** Runs the newest of several calls only: one at a time, and at most one waiting. */
export function latest(action: () => Promise<void>): () => void {
    let isRunning = false, isWanted = false;
    const run = async (): Promise<void> => {
        isRunning = true;
        do {
            isWanted = false;
            await action();
        } while (isWanted);
        isRunning = false;
    };
    return () => {
        if (isRunning) isWanted = true;
        else void run();
    };
}

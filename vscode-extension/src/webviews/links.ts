import type { TtvmCodePlace, TtvmFound, TtvmLockUse } from '../protocol';
import { withThousands } from '../text';
import { h, request, send } from './page';

// Ways from a view to elsewhere: to a position, to memory, to a source line.

/** Takes what could not be done, in a sentence. */
export type Tell = (text: string) => void;

export function addressLink(address: string, text = address): HTMLElement {
    return h('button', { class: 'link', title: 'Show in the Memory view', onclick: () => send({ type: 'show', view: 'memory', address }) }, text);
}

export function seekLink(position: string, tell: Tell): HTMLElement {
    const go = () => void request('ttvm/seek', { position }).catch((error: Error) => tell(error.message));
    return h('button', { class: 'link', title: 'Go there', 'data-position': position, onclick: go }, withThousands(position));
}

export function sourceLink({ text, source, line }: TtvmCodePlace): HTMLElement | string {
    const path = source?.path;
    return path && line !== undefined && !source?.sourceReference
        ? h('button', { class: 'link', title: 'Show the source', onclick: () => send({ type: 'source', path, line }) }, text) : text;
}

/** Two buttons for each thing that happens: to the last one, and to the next. */
export function ways<T extends string>(command: string, events: [event: T, text: string][], argumentsOf: (event: T, reverse: boolean) => object, tell: Tell): HTMLElement[] {
    const way = (event: T, text: string, reverse: boolean) => h('button', {
        class: 'secondary', title: `Go to the ${reverse ? 'last' : 'next'} ${text.toLowerCase()}`, 'aria-label': `${reverse ? 'Last' : 'Next'} ${text.toLowerCase()}`,
        onclick: () => void seekBy(command, argumentsOf(event, reverse), tell)
    }, reverse ? `‹ ${text}` : `${text} ›`);
    return [...events.map(([event, text]) => way(event, text, true)), ...events.map(([event, text]) => way(event, text, false))];
}

/** Small ones, for a row. */
export function steps(what: string, go: (reverse: boolean) => object, command: string, tell: Tell): HTMLElement {
    const step = (reverse: boolean) => h('button', {
        class: 'icon', title: `Go to the ${reverse ? 'last' : 'next'} ${what}`, 'aria-label': `${reverse ? 'Last' : 'Next'} ${what}`, onclick: () => void seekBy(command, go(reverse), tell)
    }, reverse ? '‹' : '›');
    return h('span', { class: 'steps' }, step(true), step(false));
}

async function seekBy(command: string, args: object, tell: Tell): Promise<void> {
    try {
        const { found, description } = await request<TtvmFound>(command, args);
        if (!found) tell(description);
    } catch (error) {
        tell((error as Error).message);
    }
}

/** What was wrong, above everything else; with the uses of locks that make it so. */
export function findings(label: string, all: { kind: string; position: string; text: string; uses?: TtvmLockUse[] }[], tell: Tell): HTMLElement | null {
    if (all.length === 0) return null;
    return h('section', { class: 'findings', 'aria-label': label }, ...all.map(one => h('p', {}, h('span', { class: 'badge corrupt' }, one.kind.replace(/[A-Z]/g, letter => ` ${letter.toLowerCase()}`)),
        ' ', seekLink(one.position, tell), ` ${one.text}`, ...(one.uses ?? []).map(use => h('span', { class: 'use' }, `${use.lock} at `, seekLink(use.wanted, tell))))));
}

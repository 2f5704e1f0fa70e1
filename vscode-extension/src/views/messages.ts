import type { Position, TtvmPosition } from '../protocol';

// What the extension and its views tell each other.

/** What a view has to know of the session. */
export interface ViewState {
    /** Absent without a session. */
    session?: string;
    position?: TtvmPosition;
    isStopped: boolean;
    stopCount: number;
    /** The vCPU that the user looks at. */
    threadId?: number;
    /** Where breakpoints stopped the session. */
    hits: Position[];
    change: 'session' | 'running' | 'moved' | 'timeline' | 'locks' | 'output';
}

/** Views that show an address when they are told to. */
export type AddressView = 'memory' | 'pageTables' | 'calls' | 'timeline';

export type ToView =
    | { type: 'state'; state: ViewState }
    | { type: 'answer'; id: number; body?: unknown; error?: string }
    /** Show this address: in Memory, or translated in Page Tables; in Calls, the calls of this function; in the Timeline, the lock there. */
    | { type: 'address'; address: string }
    /** Of what the session is doing for long, in words; nothing: it has ended. */
    | { type: 'progress'; text?: string };

export type FromView =
    | { type: 'ready' }
    | { type: 'request'; id: number; command: string; arguments?: unknown }
    | { type: 'show'; view: AddressView; address: string }
    | { type: 'start' }
    /** Show a line, from 1, of a source file. */
    | { type: 'source'; path: string; line: number }
    /** End what the session is doing for long. */
    | { type: 'cancel' }
    | { type: 'copy'; text: string };

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
    change: 'session' | 'running' | 'moved' | 'timeline' | 'output';
}

export type ToView =
    | { type: 'state'; state: ViewState }
    | { type: 'answer'; id: number; body?: unknown; error?: string }
    /** Show this address: in Memory, or translated in Page Tables. */
    | { type: 'address'; address: string };

export type FromView =
    | { type: 'ready' }
    | { type: 'request'; id: number; command: string; arguments?: unknown }
    | { type: 'show'; view: 'memory' | 'pageTables'; address: string }
    | { type: 'start' }
    | { type: 'copy'; text: string };

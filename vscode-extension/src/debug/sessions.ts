import * as vscode from 'vscode';
import type { TtvmPosition } from '../protocol';

/** What changed: the session itself, whether it runs, where it stands, what is known of its timeline, or what a running guest has printed. */
export type Change = 'session' | 'running' | 'moved' | 'timeline' | 'locks' | 'output';

/** A ttvm session as the views see it. */
export class TtvmSession {
    position: TtvmPosition | undefined;
    isStopped = false;
    /** How numbers are shown. */
    radix: 10 | 16 = 16;
    /** How often it stopped: what was read before an earlier stop may be outdated. */
    stopCount = 0;
    /** Positions at which a breakpoint stopped it. */
    readonly hits: string[] = [];
    /** The last event `stopped` was a breakpoint's. */
    isHit = false;
    sendsMoved = false;
    /** What it is doing for long. */
    progress: { id: string; title: string; percentage: number } | undefined;

    constructor(readonly session: vscode.DebugSession) { }

    request<T>(command: string, args?: unknown): Thenable<T> { return this.session.customRequest(command, args) as Thenable<T>; }

    /** Ends what it is doing for long. */
    async cancel(): Promise<void> {
        if (this.progress) await this.request('cancel', { progressId: this.progress.id });
    }
}

/** Follows the ttvm sessions of this window and says what changes in the active one. */
export class Sessions implements vscode.Disposable {
    private readonly all = new Map<string, TtvmSession>();
    private readonly changed = new vscode.EventEmitter<Change>();
    private readonly progressed = new vscode.EventEmitter<void>();
    private readonly subscriptions: vscode.Disposable[];
    readonly onDidChange = this.changed.event;
    /** The active session's progress is another one. */
    readonly onDidProgress = this.progressed.event;

    constructor() {
        this.subscriptions = [
            this.changed,
            this.progressed,
            vscode.debug.registerDebugAdapterTrackerFactory('ttvm', { createDebugAdapterTracker: session => this.track(session) }),
            vscode.debug.onDidTerminateDebugSession(session => this.remove(session)),
            vscode.debug.onDidChangeActiveDebugSession(() => this.report('session')),
            vscode.debug.onDidChangeActiveStackItem(() => this.report('running'))
        ];
    }

    dispose(): void { vscode.Disposable.from(...this.subscriptions).dispose(); }

    /** The session that the user looks at. */
    get active(): TtvmSession | undefined {
        const session = vscode.debug.activeDebugSession;
        return (session && this.all.get(session.id)) ?? [...this.all.values()].at(-1);
    }

    /** The vCPU that the user looks at, as a DAP thread. */
    get threadId(): number | undefined {
        const item = vscode.debug.activeStackItem;
        return item?.session.type === 'ttvm' ? item.threadId : this.active?.position?.threadId;
    }

    private track(session: vscode.DebugSession): vscode.DebugAdapterTracker {
        const tracked = new TtvmSession(session);
        this.all.set(session.id, tracked);
        this.report('session');
        return { onDidSendMessage: message => this.onMessage(tracked, message as Message) };
    }

    private remove(session: vscode.DebugSession): void {
        if (this.all.delete(session.id)) this.report('session');
    }

    private onMessage(tracked: TtvmSession, message: Message): void {
        if (message.type === 'response') {
            if (message.success && TELLING.includes(message.command ?? '')) void this.askPosition(tracked);
            return;
        }
        switch (message.event) {
            case 'continued':
                tracked.isStopped = false;
                this.reportOf(tracked, 'running');
                break;
            case 'stopped':
                tracked.isStopped = true;
                tracked.stopCount++;
                tracked.isHit = message.body?.['reason'] === 'exception' || ((message.body?.['hitBreakpointIds'] as number[] | undefined)?.length ?? 0) > 0;
                if (!tracked.sendsMoved) void this.askPosition(tracked);
                break;
            case 'invalidated':
                void this.askPosition(tracked);
                break;
            case 'ttvm/moved':
                tracked.sendsMoved = true;
                this.onMoved(tracked, message.body as unknown as TtvmPosition);
                break;
            case 'output':
                if (!tracked.isStopped && message.body?.['category'] === 'stdout') this.reportOf(tracked, 'output');
                break;
            case 'progressStart':
            case 'progressUpdate':
            case 'progressEnd':
                this.onProgress(tracked, message.event, message.body as unknown as ProgressBody);
                break;
            case 'ttvm/timelineChanged':
                this.reportOf(tracked, 'timeline');
                break;
            case 'ttvm/locksChanged':
                this.reportOf(tracked, 'locks');
                break;
        }
    }

    private onProgress(tracked: TtvmSession, event: string, { progressId: id, title, percentage = 0 }: ProgressBody): void {
        tracked.progress = event === 'progressEnd' ? undefined : { id, title: title ?? tracked.progress?.title ?? '', percentage };
        if (tracked === this.active) this.progressed.fire();
    }

    /** For what ttvm/moved does not tell. */
    private async askPosition(tracked: TtvmSession): Promise<void> {
        const stop = tracked.stopCount;
        try {
            const position = await tracked.request<TtvmPosition>('ttvm/position');
            if (stop === tracked.stopCount) this.onMoved(tracked, position);
        } catch {
            // The session ended meanwhile.
        }
    }

    private onMoved(tracked: TtvmSession, position: TtvmPosition): void {
        tracked.position = position;
        if (tracked.isHit && !position.inDiversion && !tracked.hits.includes(position.position)) tracked.hits.push(position.position);
        this.reportOf(tracked, 'moved');
    }

    private reportOf(tracked: TtvmSession, change: Change): void {
        if (tracked === this.active) this.report(change);
    }

    private report(change: Change): void {
        void vscode.commands.executeCommand('setContext', 'ttvm.inDiversion', this.active?.position?.inDiversion === true);
        this.changed.fire(change);
    }
}

/** After a change there may be a diversion, without the machine having moved; and a guest that lives may run from the start, without any stop. */
const TELLING = ['writeMemory', 'setVariable', 'setExpression', 'configurationDone'];

interface ProgressBody { progressId: string; title?: string; percentage?: number }
interface Message { type: string; event?: string; command?: string; success?: boolean; body?: Record<string, unknown> }

import * as vscode from 'vscode';
import type { Change, Sessions } from '../debug/sessions';
import { messageOf } from '../text';
import { webviewHtml } from './html';
import type { AddressView, FromView, ToView } from './messages';

/**
 * One webview view. It passes the requests of its script on to the debug server and tells it when the session moves; a view that cannot be seen asks for
 * nothing.
 */
export class View implements vscode.WebviewViewProvider, vscode.Disposable {
    private view: vscode.WebviewView | undefined;
    private isReady = false;
    private pendingAddress: string | undefined;
    private readonly subscriptions: vscode.Disposable[];

    /**
     * @param name of the script, `dist/webviews/NAMEView.js`; the view's id is `ttvm.NAME`.
     * @param requests that its script may make.
     */
    constructor(private readonly context: vscode.ExtensionContext, private readonly sessions: Sessions, readonly name: string, private readonly requests: readonly string[],
        private readonly show: (view: AddressView, address: string) => void) {
        this.subscriptions = [sessions.onDidChange(change => this.sendState(change)), sessions.onDidProgress(() => this.sendProgress())];
    }

    dispose(): void { vscode.Disposable.from(...this.subscriptions).dispose(); }

    resolveWebviewView(view: vscode.WebviewView): void {
        this.view = view;
        this.isReady = false;
        view.webview.options = { enableScripts: true, localResourceRoots: [this.context.extensionUri] };
        view.webview.onDidReceiveMessage(message => void this.onMessage(message as FromView));
        view.onDidChangeVisibility(() => this.sendState('session'));
        view.onDidDispose(() => { if (this.view === view) this.view = undefined; });
        view.webview.html = webviewHtml(view.webview, this.context.extensionUri, this.name, view.title ?? this.name);
    }

    /** Opens the view and shows an address in it, or what happened to it. */
    async open(address: string): Promise<void> {
        this.pendingAddress = address;
        await vscode.commands.executeCommand(`ttvm.${this.name}.focus`);
        this.sendAddress();
    }

    private sendAddress(): void {
        if (!this.isReady || this.pendingAddress === undefined) return;
        this.post({ type: 'address', address: this.pendingAddress });
        this.pendingAddress = undefined;
    }

    private post(message: ToView): void { void this.view?.webview.postMessage(message); }

    private sendState(change: Change): void {
        if (!this.isReady || !this.view?.visible) return;
        const session = this.sessions.active;
        this.post({
            type: 'state',
            state: {
                session: session?.session.name, position: session?.position, isStopped: session?.isStopped ?? false, stopCount: session?.stopCount ?? 0,
                threadId: this.sessions.threadId, hits: session?.hits ?? [], change
            }
        });
    }

    private sendProgress(): void {
        if (!this.isReady || !this.view?.visible) return;
        const progress = this.sessions.active?.progress;
        this.post({ type: 'progress', text: progress && `${progress.title}: ${Math.floor(progress.percentage)} %` });
    }

    private async onMessage(message: FromView): Promise<void> {
        switch (message.type) {
            case 'ready':
                this.isReady = true;
                this.sendState('session');
                this.sendAddress();
                break;
            case 'request':
                await this.pass(message.id, message.command, message.arguments);
                break;
            case 'show':
                this.show(message.view, message.address);
                break;
            case 'start':
                await vscode.commands.executeCommand('ttvm.start');
                break;
            case 'source':
                await this.showSource(message.path, message.line - 1);
                break;
            case 'cancel':
                await this.sessions.active?.cancel();
                break;
            case 'copy':
                await vscode.env.clipboard.writeText(message.text);
                break;
        }
    }

    private async showSource(path: string, line: number): Promise<void> {
        try {
            await vscode.window.showTextDocument(vscode.Uri.file(path), { selection: new vscode.Range(line, 0, line, 0), viewColumn: vscode.ViewColumn.Active });
        } catch (error) {
            void vscode.window.showWarningMessage(messageOf(error));
        }
    }

    private async pass(id: number, command: string, args: unknown): Promise<void> {
        const session = this.sessions.active;
        if (!session || !this.requests.includes(command)) return this.post({ type: 'answer', id, error: 'there is no session' });
        try {
            this.post({ type: 'answer', id, body: await session.request(command, args) });
        } catch (error) {
            this.post({ type: 'answer', id, error: messageOf(error) });
        }
    }
}

import * as vscode from 'vscode';
import { withThousands } from '../text';
import type { Sessions } from './sessions';

/** Position and percentage in the status bar; LIVE and DIVERSION stand out. */
export class StatusBar implements vscode.Disposable {
    private readonly item = vscode.window.createStatusBarItem('ttvm.position', vscode.StatusBarAlignment.Left, 100);
    private readonly diversion = vscode.window.createStatusBarItem('ttvm.diversion', vscode.StatusBarAlignment.Left, 99);
    private readonly subscription: vscode.Disposable;

    constructor(private readonly sessions: Sessions) {
        this.item.name = 'ttvm: Position';
        this.item.command = 'ttvm.seek';
        this.diversion.name = 'ttvm: Diversion';
        this.diversion.text = '$(git-branch) DIVERSION';
        this.diversion.tooltip = 'You changed something: this is a fork of the past, which is thrown away when you return. The recording never changes.\n\nClick to return to it.';
        this.diversion.command = 'ttvm.returnToRecording';
        this.diversion.backgroundColor = new vscode.ThemeColor('statusBarItem.warningBackground');
        this.subscription = sessions.onDidChange(() => this.update());
    }

    dispose(): void { vscode.Disposable.from(this.item, this.diversion, this.subscription).dispose(); }

    private update(): void {
        const position = this.sessions.active?.position;
        if (!position) {
            this.item.hide();
            this.diversion.hide();
            return;
        }
        const live = position.isLive ? '$(record) LIVE ' : '$(history) ';
        this.item.text = `${live}${withThousands(position.position)} (${position.percent.toFixed(1)}%)`;
        this.item.tooltip = new vscode.MarkdownString(`**Position** ${withThousands(position.position)} of ${withThousands(position.end)} instructions\n\n`
            + `Guest time ${(position.guestNanoseconds / 1e6).toFixed(3)} ms, vCPU ${position.threadId - 1}\n\nClick to go elsewhere.`);
        this.item.show();
        if (position.inDiversion) this.diversion.show();
        else this.diversion.hide();
    }
}

import * as vscode from 'vscode';
import { AdapterFactory } from './debug/adapterFactory';
import { registerCommands } from './debug/commands';
import { Confinement } from './debug/confinement';
import { ConfigurationProvider, registerStart } from './debug/configurationProvider';
import { registerShowLog } from './debug/log';
import { Sessions } from './debug/sessions';
import { StatusBar } from './debug/statusBar';
import { RecordingEditor } from './recordings/recordingEditor';
import { registerRecordingCommands } from './recordings/commands';
import { RecordTaskProvider } from './recordings/recordTasks';
import { OriginView } from './views/originView';
import { TranslatedCode } from './views/translatedCode';
import { registerViews } from './views/views';

export function activate(context: vscode.ExtensionContext): void {
    const sessions = new Sessions();
    const configurations = new ConfigurationProvider(context);
    const confinement = new Confinement();
    context.subscriptions.push(
        sessions,
        confinement,
        new StatusBar(sessions),
        vscode.debug.registerDebugConfigurationProvider('ttvm', configurations),
        vscode.debug.registerDebugConfigurationProvider('ttvm', configurations, vscode.DebugConfigurationProviderTriggerKind.Dynamic),
        vscode.debug.registerDebugAdapterDescriptorFactory('ttvm', new AdapterFactory(context, confinement)),
        vscode.tasks.registerTaskProvider('ttvm', new RecordTaskProvider(context)),
        vscode.window.registerCustomEditorProvider('ttvm.recording', new RecordingEditor(context), { supportsMultipleEditorsPerDocument: true }));
    const show = registerViews(context, sessions);
    const origin = new OriginView(sessions);
    const translated = new TranslatedCode(sessions);
    context.subscriptions.push(origin, translated);
    registerCommands(context, sessions, show, origin, translated);
    registerRecordingCommands(context);
    registerStart(context);
    registerShowLog(context);
    // The views' tabs show once ttvm is of use in this window.
    void vscode.commands.executeCommand('setContext', 'ttvm.isActivated', true);
}

export function deactivate(): void { }

import * as vscode from 'vscode';
import type { TtvmSavedBreakpoint, TtvmSavedBreakpoints } from '../protocol';
import type { TtvmSession } from './sessions';

/** Keeps the breakpoints that are set and switched on now with the recording, in the place of those that it had. */
export async function saveBreakpoints(session: TtvmSession): Promise<void> {
    const { breakpoints } = await session.request<TtvmSavedBreakpoints>('ttvm/saveBreakpoints');
    void vscode.window.showInformationMessage(breakpoints.length === 0 ? 'No breakpoint is set: the recording keeps none.' : `The recording keeps ${count(breakpoints)}.`);
}

/** Sets the breakpoints that came with a recording, unless the user has some: those are not mixed up with others. */
export async function restoreBreakpoints(session: vscode.DebugSession): Promise<void> {
    if (vscode.debug.breakpoints.length > 0) return;
    try {
        const { breakpoints } = await session.customRequest('ttvm/savedBreakpoints') as TtvmSavedBreakpoints;
        const known = breakpoints.map(breakpointOf).filter(one => one !== undefined);
        if (known.length === 0 || vscode.debug.breakpoints.length > 0) return;
        vscode.debug.addBreakpoints(known);
        void vscode.window.showInformationMessage(`${count(breakpoints)} came with the recording.`);
    } catch {
        // The session has ended already, or what it is kept in is damaged, which asking for bookmarks tells.
    }
}

function count({ length }: TtvmSavedBreakpoint[]): string { return `${length} breakpoint${length === 1 ? '' : 's'}`; }

/** Extensions can set breakpoints on lines and on functions; the server takes addresses and data where a function is named. */
function breakpointOf({ kind, path, line, name, address, dataId, accessType, condition, hitCondition, logMessage }: TtvmSavedBreakpoint): vscode.Breakpoint | undefined {
    if (kind === 'source' && path && line)
        return new vscode.SourceBreakpoint(new vscode.Location(vscode.Uri.file(path), new vscode.Position(line - 1, 0)), true, condition, hitCondition, logMessage);
    const end = dataId?.lastIndexOf(':') ?? -1;
    const access = accessType === 'readWrite' ? 'access' : accessType ?? 'write';
    const text = name ?? address ?? (dataId && end > 0 ? `${access} ${dataId.slice(0, end)} ${dataId.slice(end + 1)}` : undefined);
    return text ? new vscode.FunctionBreakpoint(text, true, condition, hitCondition) : undefined;
}

import * as fs from 'node:fs/promises';
import * as path from 'node:path';
import * as vscode from 'vscode';

/** Something in the workspace that can be debugged. */
export interface Candidate { file: vscode.Uri; isRecording: boolean }

const LIMIT = 40;
const EXCLUDED = '**/{node_modules,.git}/**';

/** Recordings first, then kernels, each in alphabetical order. */
export async function findCandidates(folder: vscode.WorkspaceFolder | undefined): Promise<Candidate[]> {
    const within = (pattern: string): vscode.GlobPattern => folder ? new vscode.RelativePattern(folder, pattern) : pattern;
    const [recordings, images] = await Promise.all([
        vscode.workspace.findFiles(within('**/*.ttvm'), EXCLUDED, LIMIT),
        vscode.workspace.findFiles(within('**/{vmlinux,vmlinuz,bzImage,vmlinuz-*,*.elf,kernel,*.kernel}'), EXCLUDED, LIMIT)
    ]);
    const kernels = await Promise.all(images.map(async file => (await isKernel(file.fsPath)) ? [file] : []));
    const sorted = (files: vscode.Uri[]) => files.sort((a, b) => a.fsPath.localeCompare(b.fsPath));
    return [...sorted(recordings).map(file => ({ file, isRecording: true })), ...sorted(kernels.flat()).map(file => ({ file, isRecording: false }))];
}

export function configurationOf(candidate: Candidate): vscode.DebugConfiguration {
    const name = path.basename(candidate.file.fsPath);
    return { type: 'ttvm', request: 'launch', name: candidate.isRecording ? `Replay ${name}` : `Record and debug ${name}`, program: candidate.file.fsPath };
}

/** What the debug server replays, and does not start: by its name or its header, of a zip file or of an encrypted recording. */
export async function isRecording(file: string): Promise<boolean> {
    return file.endsWith('.ttvm') || ['PK\x03\x04', 'TTVE'].includes((await headerOf(file, 4)).toString('latin1'));
}

/** An ELF executable (not an object file or a library) or a Linux bzImage, by its header. */
async function isKernel(file: string): Promise<boolean> {
    const header = await headerOf(file, 0x206);
    if (header.length < 20) return false;
    if (header.readUInt32BE(0) === 0x7f454c46) return header.readUInt16LE(16) === 2 && [3, 62].includes(header.readUInt16LE(18));
    return header.length === 0x206 && header.toString('latin1', 0x202, 0x206) === 'HdrS';
}

/** As many bytes as there are, at most `size`; none of a file that cannot be read. */
async function headerOf(file: string, size: number): Promise<Buffer> {
    try {
        const handle = await fs.open(file);
        try {
            const { buffer, bytesRead } = await handle.read(Buffer.alloc(size), 0, size, 0);
            return buffer.subarray(0, bytesRead);
        } finally {
            await handle.close();
        }
    } catch {
        return Buffer.alloc(0);
    }
}

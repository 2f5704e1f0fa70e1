import { randomBytes } from 'node:crypto';
import * as vscode from 'vscode';

/** A page that may run its own script and nothing else. Its content is made by that script. */
export function webviewHtml(webview: vscode.Webview, extensionUri: vscode.Uri, name: string, title: string): string {
    const uri = (...parts: string[]) => webview.asWebviewUri(vscode.Uri.joinPath(extensionUri, ...parts)).toString();
    const nonce = randomBytes(16).toString('base64');
    const escaped = title.replace(/[&<>"]/g, character => `&#${character.charCodeAt(0)};`);
    return `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${webview.cspSource}; script-src 'nonce-${nonce}';">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="${uri('media', 'views.css')}">
<title>${escaped}</title>
</head>
<body data-view="${name}">
<main id="root"></main>
<script nonce="${nonce}" src="${uri('dist', 'webviews', `${name}View.js`)}"></script>
</body>
</html>`;
}

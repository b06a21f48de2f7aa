// TypeScript as HTML, coloured at build time, so that the pages carry no highlighter.

export const escapeHtml = (text) =>
    text.replace(/[&<>"]/g, (c) => ({'&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;'})[c]);

const keywords = 'as async await break case catch class const continue default else export extends finally for from function if import ' +
    'in interface let new null of readonly return static switch throw true false try type typeof undefined void while';

const token = new RegExp([
    String.raw`(?<comment>\/\/[^\n]*|\/\*[^]*?\*\/)`,
    String.raw`(?<string>'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|\`(?:[^\`\\]|\\.)*\`)`,
    String.raw`(?<keyword>(?<![\w.$])(?:${keywords.replaceAll(' ', '|')})(?![\w$:]))`,
    String.raw`(?<number>(?<![\w$])\d[\d_.]*(?![\w$]))`,
].join('|'), 'g');

export function highlight(code) {
    let result = '';
    let end = 0;
    for (const match of code.matchAll(token)) {
        const kind = Object.keys(match.groups).find((name) => match.groups[name] !== undefined);
        result += `${escapeHtml(code.slice(end, match.index))}<span class="code__${kind}">${escapeHtml(match[0])}</span>`;
        end = match.index + match[0].length;
    }
    return result + escapeHtml(code.slice(end));
}

/** A block that can be scrolled with the keyboard too. A page with many of them makes them groups: regions are landmarks. */
export const codeBlock = (code, name, role = 'region') =>
    `<pre class="code" tabindex="0" role="${role}" aria-label="${escapeHtml(name)}"><code>${highlight(code.trimEnd())}</code></pre>`;

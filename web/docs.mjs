// The documentation as pages: docs/*.md and the README become /docs/, the demos' own code becomes /source/. Everything is
// made at build time, so the pages need no script.

import {readFileSync} from 'node:fs';
import {Marked} from 'marked';
import {codeBlock, escapeHtml} from './highlight.mjs';
import {documents, pages} from './src/pages.mjs';

const root = new URL('../', import.meta.url);
const read = (path) => readFileSync(new URL(path, root), 'utf8');
const pathOf = (document) => `docs/${document.name ? `${document.name}/` : ''}`;
const coloured = ['ts', 'tsx', 'js', 'cpp'];

/** {path, title, description, content} of each page, and the pictures they show. */
export function documentPages() {
    const made = documents.map((document) => ({
        ...document, path: pathOf(document), content: framed(document, html(document)),
    }));
    const source = {path: 'source/', title: 'Source · Pulsewire', description: 'The code of the demos: their server and their pages.', content: framed(undefined, sourceHtml())};
    return [...made, source];
}

/** [name below dist, content] of the pictures. */
export const pictures = () => [...new Set(documents.flatMap(({file}) =>
    [...read(file).matchAll(/!\[[^\]]*\]\((?:docs\/)?images\/([\w.-]+)\)/g)].map((match) => match[1])))]
    .map((name) => [`docs/images/${name}`, readFileSync(new URL(`docs/images/${name}`, root))]);

function html(document) {
    const used = new Map();
    const marked = new Marked({
        renderer: {
            heading: (words, depth, raw) => `<h${depth} id="${anchor(raw, used)}">${words}</h${depth}>\n`,
            code(text, lang) {
                const name = lang ? `Code, ${lang}` : 'Code';
                return coloured.includes(lang) ? codeBlock(text, name, 'group')
                    : `<pre class="code" tabindex="0" role="group" aria-label="${name}"><code>${escapeHtml(text)}</code></pre>\n`;
            },
            table(head, body) {
                const named = head.replace(/<[^>]*>/g, '').trim() ? `<thead>${head.replaceAll(/<th[^>]*><\/th>/g, '<td></td>')}</thead>` : '';
                return `<div class="prose__table" tabindex="0" role="group" aria-label="Table"><table>${named}<tbody>${body}</tbody></table></div>\n`;
            },
            link(href, _, words) {
                const to = linkTo(href, document);
                return to ? `<a href="${escapeHtml(to)}">${words}</a>` : `<span class="prose__file" title="${escapeHtml(href)} in the repository">${words}</span>`;
            },
            image: (href, _, text) => `<img src="/docs/images/${escapeHtml(href.split('/').at(-1))}" alt="${escapeHtml(text)}" loading="lazy">`,
        },
    });
    return marked.parse(read(document.file));
}

// As GitHub makes them, so that the links in the documents hold in both places.
function anchor(text, used) {
    const slug = text.toLowerCase().replace(/[^\p{L}\p{N}\s_-]/gu, '').trim().replace(/\s/g, '-');
    const times = used.get(slug) ?? 0;
    used.set(slug, times + 1);
    return times ? `${slug}-${times}` : slug;
}

// Other documents become pages; files of the repository that are none have no address here.
function linkTo(href, {file}) {
    if (/^(https?:|#)/.test(href)) return href;
    const [path, hash] = href.split('#');
    const target = new URL(path, new URL(file, 'file:///')).pathname.slice(1);
    const document = documents.find((other) => other.file === target);
    return document && `/${pathOf(document)}${hash ? `#${hash}` : ''}`;
}

function framed(current, content) {
    const links = documents.map((document) =>
        `<li><a href="/${pathOf(document)}"${document === current ? ' aria-current="page"' : ''}>${escapeHtml(document.nav)}</a></li>`);
    const source = `<li><a href="/source/"${current ? '' : ' aria-current="page"'}>Source of the demos</a></li>`;
    return `<div class="reading"><nav class="reading__nav" aria-label="Documents"><ul>${[...links, source].join('\n')}</ul></nav>\n<article class="prose">\n${content}\n</article></div>`;
}

function sourceHtml() {
    const parts = ['victim', 'board', 'game', 'dashboard', 'news'].map((part) => `server/examples/gallery/${part}.hpp`);
    const files = ['server/examples/gallery.cpp', ...parts, ...pages.map(({name}) => `web/src/${name}/main.ts`)];
    return `<h1>Source of the demos</h1>
<p>The server behind these pages is one C++ file with a few parts, and what each page does with the SDK is one short TypeScript file. Their looks, and the rest of Pulsewire, are in the repository, under the MIT licence.</p>
${files.map((file) => `<h2 id="${anchor(file, new Map())}"><code>${file}</code></h2>\n${codeBlock(read(file), file, 'group')}`).join('\n')}`;
}

// The three engines: where each is, which tests it runs, and what the tools that drive it cannot do. The one place for that.

import {execFileSync} from 'node:child_process';
import {existsSync} from 'node:fs';

export type Engine = 'chromium' | 'firefox' | 'webkit';

const firstThere = (...paths: string[]): string => paths.find((path) => existsSync(path)) ?? paths[0]!;

/** Chromium without the window of a browser around it: the same engine for less than half of the time per page. */
export const chromiumPath = process.env.E2E_CHROMIUM ?? firstThere('/usr/bin/chromium-headless-shell', '/usr/bin/chromium');
/** The whole browser, where that counts. */
export const fullChromiumPath = process.env.E2E_CHROMIUM ?? firstThere('/usr/bin/chromium', '/usr/bin/chromium-headless-shell');
export const firefoxPath = process.env.E2E_FIREFOX ?? firstThere('/usr/bin/firefox-esr', '/usr/bin/firefox');
export const webkitDriverPath = '/usr/bin/WebKitWebDriver';
const webkitFolders = ['x86_64', 'aarch64'].flatMap((machine) =>
    ['webkit2gtk-4.1', 'webkitgtk-6.0', 'webkit2gtk-4.0'].map((version) => `/usr/lib/${machine}-linux-gnu/${version}`));
export const webkitPath = firstThere(...webkitFolders.map((folder) => `${folder}/MiniBrowser`));
/** WebKit draws on a display, even where nobody looks. */
export const displayPath = '/usr/bin/Xvfb';

const needed: Record<Engine, string[]> = {
    chromium: [chromiumPath], firefox: [firefoxPath], webkit: [webkitDriverPath, webkitPath, displayPath],
};

/** Playwright asks Firefox for network.addDataCollector of WebDriver BiDi, which this version was the first to know. */
const firefoxMin = 143;

let firefoxVersion: number | undefined;
function versionOfFirefox(): number {
    const words = () => execFileSync(firefoxPath, ['--version'], {encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore']});
    return (firefoxVersion ??= Number(/ (\d+)\./.exec(words())?.[1] ?? 0));
}

/** Why this engine cannot be had on this machine; its tests are skipped then, and say so. */
export function whyMissing(engine: Engine): string | undefined {
    const missing = needed[engine].filter((path) => !existsSync(path));
    // Without Chromium there is nothing to test with: that fails.
    if (engine === 'chromium') return undefined;
    if (missing.length > 0) return `${engine} is not installed here: there is no ${missing.join(', no ')} (script/bootstrap brings it)`;
    if (engine === 'firefox' && versionOfFirefox() < firefoxMin) return `Firefox ${versionOfFirefox()} is here, and Playwright can drive ${firefoxMin} and newer`;
    return undefined;
}

/**
 * The tests that run in Firefox as well, by spec and by pieces of their titles: those whose outcome depends on the engine,
 * because connections, transports, storage, reloads, navigation, policies or the layout are its own. What only repeats the logic of
 * our pages or of the server is proved in Chromium.
 */
export const inFirefox: Record<string, 'all' | string[]> = {
    'ai.spec.ts': ['a pulled plug costs no word'],
    'auth.spec.ts': 'all',
    'break_it.spec.ts': ['the panel and the chart are seen together'],
    'chat.spec.ts': ['two people talk', 'two windows of one browser are two visitors', 'after a reload a person is listed once again'],
    'classic.spec.ts': ['is welcomed, hears itself as received'],
    'compression.spec.ts': 'all',
    'demo.spec.ts': ['starts again: no window lost anything'],
    'errors.spec.ts': ['a message larger than the server takes'],
    'event_stream.spec.ts': ['EventSource comes back with Last-Event-ID', 'after a restart with an empty memory'],
    'fallback.spec.ts': 'all',
    'firefox_delay.spec.ts': 'all',
    'document.spec.ts': ['two editors that were offline', 'undo takes back', 'a caret is seen'],
    'device.spec.ts': ['an unplugged one is gone'],
    'drop.spec.ts': ['a file arrives whole over'],
    'game.spec.ts': ['players see each other move'],
    'gallery.spec.ts': ['each card leads to its demo, and the way back'],
    'handover.spec.ts': ['the page never notices that it changes servers'],
    'http_api.spec.ts': ['a page of the server’s own does it all', 'a page of another origin is refused everything', 'an origin that is listed may use the server'],
    'injection.spec.ts': ['has a content policy without unsafe-inline', 'the policy is enforced'],
    'keyboard.spec.ts': ['a chat message is written and sent with keys alone'],
    'lose.spec.ts': ['cut, stalled, offline, killed twice and reloaded'],
    'network_cut.spec.ts': 'all',
    'news.spec.ts': ['a lost connection costs nothing'],
    'offline.spec.ts': 'all',
    'playground.spec.ts': ['two clients lose nothing'],
    'presence.spec.ts': 'all',
    'promises.spec.ts': 'all',
    'replies.spec.ts': 'all',
    'restart.spec.ts': ['says why it waits, comes back to the restarted server'],
    'server_killed.spec.ts': ['killed and restarted, over', 'the delays grow up to 20 s', '“Try now” does not wait'],
    'slow_consumer.spec.ts': ['drop_oldest: it asks for what was dropped'],
    'state.spec.ts': 'all',
    'storage.spec.ts': [
        'a full outbox through a reload', 'written while the server is down, kept through reloads', 'sent but not acknowledged', 'reloaded again and again',
        'a tab that lives keeps its own messages', 'there are no Web Locks', 'IndexedDB fails', 'the disk is full', 'a position belongs to its tab',
        'what a tab left when it was closed',
    ],
    'ticker.spec.ts': ['the transport changes while prices flow', 'a tile’s texts keep apart at every width'],
    'tls.spec.ts': ['a page over https talks over WebSocket and SSE', 'a chat over'],
    'whiteboard.spec.ts': ['two people draw together'],
};

/** The tests that WebKit runs, driven by WebDriver: Playwright cannot drive the WebKit of Debian. */
export const inWebKit = ['auth.spec.ts', 'promises.spec.ts', 'webkit.spec.ts'];

interface Impossible {
    engine: Engine;
    spec: string;
    /** A piece of the titles. */
    title: string;
    reason: string;
}

/** Things that the tools cannot do in an engine; each of these tests is reported as skipped, with this reason. */
export const impossible: Impossible[] = [
    {engine: 'firefox', spec: 'break_it.spec.ts', title: 'the panel and the newest message are seen together', reason: 'Playwright scrolls whatever it clicks to the middle of Firefox’s window, over WebDriver BiDi'},
    {engine: 'firefox', spec: 'layout.spec.ts', title: 'light and dark', reason: 'Playwright cannot change the colour scheme of Firefox over WebDriver BiDi'},
    {engine: 'firefox', spec: 'presence.spec.ts', title: 'a page that crashes leaves', reason: 'crashing a tab takes the Chrome DevTools Protocol'},
    {engine: 'firefox', spec: 'storage.spec.ts', title: 'or crashed, another open tab', reason: 'crashing a tab takes the Chrome DevTools Protocol'},
];

export const whyImpossible = (engine: Engine, spec: string, title: string): string | undefined =>
    impossible.find((entry) => entry.engine === engine && entry.spec === spec && title.includes(entry.title))?.reason;

const literal = (text: string): string => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** What Playwright compares with "project file title": the tests that Firefox runs, and those that it would run if it could. */
export function firefoxTests(): RegExp {
    const chosen = Object.entries(inFirefox).map(([spec, titles]) =>
        `${literal(spec)} .*${titles === 'all' ? '' : `(${titles.map(literal).join('|')})`}`);
    const skipped = impossible.filter(({engine}) => engine === 'firefox').map(({spec, title}) => `${literal(spec)} .*${literal(title)}`);
    return new RegExp([...chosen, ...skipped].join('|'));
}

// The work of script/pictures: node script/pictures.mjs FILE

import {spawn} from 'node:child_process';
import {readFileSync} from 'node:fs';
import {createRequire} from 'node:module';
import {setTimeout as pause} from 'node:timers/promises';
import {fileURLToPath} from 'node:url';
import {freePort} from './free_port.mjs';

const [file] = process.argv.slice(2);
const root = fileURLToPath(new URL('..', import.meta.url));
const {chromium} = createRequire(new URL('../client-wasm/package.json', import.meta.url))('playwright-core');
const page = {width: 960, height: 660};
const header = 54;
const boardRatio = 1.5;  // of the whiteboard's width to its height
const columns = 3;
const tile = 500;
const livelyMs = 9_000;  // what graphs and simulated visitors need to have something to show

const port = await freePort();
const server = spawn(`${root}/build/release/pulsewire-gallery`, ['--port', String(port), '--web-root', `${root}/web/dist`], {stdio: 'ignore'});
const browser = await chromium.launch({executablePath: '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu']});

async function visit(path) {
    const visitor = await (await browser.newContext({viewport: page})).newPage();
    for (let tries = 50; ; tries -= 1) {
        const there = await visitor.goto(`http://127.0.0.1:${port}/${path}`).then(() => true, (error) => { if (tries === 0) throw error; });
        if (there) break;
        await pause(100);
    }
    return visitor;
}

async function chat() {
    const [ada, grace] = [await visit('chat/?name=Ada'), await visit('chat/?name=Grace')];
    const say = async (who, text) => {
        await who.getByPlaceholder('Write a message…').fill(text);
        await who.getByRole('button', {name: 'Send'}).click();
        await ada.getByText(text).waitFor();
    };
    await say(grace, 'The new build is out. Did the restart cost you anything?');
    await say(ada, 'Nothing. I was in a tunnel, too.');
    await say(grace, 'All 40 messages were there when I came back.');
    return ada;
}

async function lose() {
    const visitor = await visit('lose/');
    await pause(livelyMs / 3);
    await visitor.getByRole('button', {name: 'Cut both connections'}).click();
    await pause(livelyMs / 3);
    await visitor.getByRole('button', {name: 'Kill the server'}).click();
    await pause(livelyMs);
    return visitor;
}

async function whiteboard() {
    const painters = [await visit('whiteboard/'), await visit('whiteboard/')];
    const draw = async (painter, colour, points) => {
        const board = painter.getByTestId('board');
        await painter.getByRole('radio').nth(colour).click({force: true});
        const {x, y, width, height} = await board.boundingBox();
        const [first, ...others] = points.map(([right, down]) => [x + right * width, y + down * height]);
        await painter.mouse.move(...first);
        await painter.mouse.down();
        for (const point of others) await painter.mouse.move(...point, {steps: 3});
        await painter.mouse.up();
    };
    const curve = (count, at) => Array.from({length: count + 1}, (_, i) => at(i / count));
    const sun = (radius, angle) => [0.84 + radius * Math.cos(angle), 0.18 + boardRatio * radius * Math.sin(angle)];
    // The pulse of the logo, and a sun.
    await draw(painters[0], 1, curve(60, (t) => [0.12 + 0.6 * t, 0.45 - 0.28 * Math.exp(-(((t - 0.5) * 9) ** 2)) + 0.1 * Math.exp(-(((t - 0.68) * 12) ** 2))]));
    await draw(painters[1], 3, curve(36, (t) => sun(0.05, t * 2 * Math.PI)));
    for (let ray = 0; ray < 8; ray += 1) await draw(painters[1], 3, [sun(0.065, ray * Math.PI / 4), sun(0.085, ray * Math.PI / 4)]);
    const {x, y, width} = await painters[1].getByTestId('board').boundingBox();
    await painters[1].mouse.move(x + 0.55 * width, y + 0.12 * width, {steps: 3});
    return painters[0];
}

async function game() {
    const players = [await visit('game/'), await visit('game/'), await visit('game/')];
    const hunt = async (player, rank) => {
        await player.getByTestId('arena').hover();
        await player.mouse.down();
        for (;;) {
            const light = await player.locator('.light').nth(rank).boundingBox();
            if (light) await player.mouse.move(light.x + light.width / 2, light.y + light.height / 2);
            await pause(100);
        }
    };
    for (const [rank, player] of players.entries()) hunt(player, rank).catch(() => {});  // until the browser closes
    return players[0];
}

async function device() {
    const visitor = await visit('device/');
    const row = visitor.getByTestId('lamp-row').first();
    await row.getByRole('switch').click();
    await row.getByRole('slider').fill('80');
    return visitor;
}

async function dashboard() {
    const visitor = await visit('dashboard/');
    await pause(livelyMs / 2);
    await visitor.getByRole('button', {name: 'Twenty visitors'}).click();
    return visitor;
}

async function drop() {
    const [giver, taker] = [await visit('drop/'), await visit('drop/')];
    const picture = readFileSync(`${root}/docs/images/load.svg`);
    await giver.getByTestId('choose').setInputFiles({name: 'load.svg', mimeType: 'image/svg+xml', buffer: picture});
    await giver.getByTestId('choose').setInputFiles({name: 'minutes-of-monday.txt', mimeType: 'text/plain', buffer: Buffer.alloc(300_000, 'We met, and agreed. ')});
    return taker;
}

try {
    const pages = [lose, whiteboard, game, chat, device, dashboard, () => visit('ticker/'), drop, () => visit('news/')];
    const visitors = await Promise.all(pages.map((open) => open()));
    await pause(livelyMs);
    const shots = [];
    for (const visitor of visitors) {
        await visitor.bringToFront();
        shots.push(await visitor.screenshot({clip: {x: 0, y: header, width: page.width, height: page.height - header}}));
    }
    const wall = await (await browser.newContext({viewport: {width: columns * tile, height: tile}})).newPage();
    await wall.setContent(`<style>body { display: grid; grid-template-columns: repeat(${columns}, 1fr); gap: 12px; margin: 0; padding: 12px; background: #e4e5df; width: fit-content }
        img { width: ${tile}px; border-radius: 8px; display: block }</style>${shots.map((shot) => `<img src="data:image/png;base64,${shot.toString('base64')}">`).join('')}`);
    await wall.locator('body').screenshot({path: file});
} finally {
    await browser.close();
    server.kill('SIGTERM');
}

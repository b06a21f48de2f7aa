// Tokens for the load generator, each of another user, and the arguments with which pulsewired takes them.

import {createHmac, generateKeyPairSync, randomBytes, sign} from 'node:crypto';
import {writeFileSync} from 'node:fs';

const issuer = 'bench';
const secondsOfLife = 3600;

// A way to sign, and what the server is told to check it by.
const kinds = {
    HS256() {
        const secret = randomBytes(32).toString('hex');
        return {signature: (text) => createHmac('sha256', secret).update(text).digest('base64url'), option: '--token-secret-file', key: secret};
    },
    ES256() {
        const {privateKey, publicKey} = generateKeyPairSync('ec', {namedCurve: 'P-256'});
        return {
            signature: (text) => sign('sha256', Buffer.from(text), {key: privateKey, dsaEncoding: 'ieee-p1363'}).toString('base64url'),
            option: '--token-key-file', key: publicKey.export({type: 'spki', format: 'pem'}),
        };
    },
};

const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');

// Writes a key and `count` tokens of this kind into the folder; returns the tokens' file and the server's arguments.
export function makeTokens(kind, count, folder) {
    const {signature, option, key} = kinds[kind]();
    const keyFile = `${folder}/${kind}.key`;
    const file = `${folder}/${kind}.tokens`;
    const now = Math.floor(Date.now() / 1000);
    const head = part({alg: kind, typ: 'JWT'});
    const lines = Array.from({length: count}, (_, index) => {
        const text = `${head}.${part({
            iss: issuer, aud: issuer, sub: `user-${index}`, iat: now, exp: now + secondsOfLife, jti: `${index}`,
            pulsewire: {allow: {'bench:**': ['subscribe', 'publish']}},
        })}`;
        return `${text}.${signature(text)}`;
    });
    writeFileSync(keyFile, `${key}\n`, {mode: 0o600});
    writeFileSync(file, `${lines.join('\n')}\n`);
    return {file, arguments: ['--token-issuer', issuer, '--token-audience', issuer, option, keyFile]};
}

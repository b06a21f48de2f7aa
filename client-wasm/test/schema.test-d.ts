// The promises of the types of pulsewire/schema, checked by tsc alone.

import * as v from 'valibot';
import * as z from 'zod';
import {list} from '../src/list.js';
import {checked} from '../src/schema.js';
import type {Channel, Client} from '../src/index.js';
import {is, type Equal} from './type_claims.js';

export function channels(client: Client) {
    for (const chat of [
        checked(client.channel('a'), {'chat.message': z.object({text: z.string()}), at: z.string().transform((text) => new Date(text))}),
        checked(client.channel('a'), {'chat.message': v.object({text: v.string()}), at: v.pipe(v.string(), v.transform((text) => new Date(text)))}),
    ]) {
        chat.on('chat.message', (payload, message) => {
            is<Equal<typeof payload, {text: string}>>();
            is<Equal<typeof message.payload, {text: string}>>();
        });
        chat.on('at', (payload) => is<Equal<typeof payload, Date>>());
        // @ts-expect-error no such type
        chat.on('chat.mesage', () => {});
        void chat.publish('chat.message', {text: 'x'}, {echo: false});
        void chat.publish('at', '2020-01-01');
        // @ts-expect-error a member is missing
        void chat.publish('chat.message', {});
        // @ts-expect-error no such type
        void chat.publish('other', 1);
        // Whatever takes a channel takes this one.
        const plain: Channel<{'chat.message': {text: string}; at: Date}> = chat;
        is<Equal<ReturnType<ReturnType<typeof list<{'chat.message': {text: string}; at: Date}>>['getSnapshot']>[number]['type'], 'chat.message' | 'at'>>();
        void plain;
    }
    // @ts-expect-error no schema
    checked(client.channel('a'), {'chat.message': {text: 'string'}});
}

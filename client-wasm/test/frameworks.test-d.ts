// The promises of the types of the entries for frameworks, checked by tsc alone: each line with @ts-expect-error must be an error.

import type {Signal} from '@angular/core';
import type {Accessor} from 'solid-js';
import type {Readable} from 'svelte/store';
import type {ComputedRef} from 'vue';
import * as angular from '../src/angular.js';
import type {AnyMessage, Client, ConnectionState, PulsewireError} from '../src/index.js';
import * as react from '../src/react.js';
import * as solid from '../src/solid.js';
import * as svelte from '../src/svelte.js';
import * as vue from '../src/vue.js';
import {is, type ChatMessages, type Equal} from './type_claims.js';

type List = readonly AnyMessage<ChatMessages>[];

export function inReact(client: Client, later: () => Client, room: string | undefined) {
    const {messages, error, state} = react.useChannel<ChatMessages>(client, room, {latest: 5, max: 10});
    is<Equal<typeof messages, List>>();
    is<Equal<typeof error, PulsewireError | undefined>>();
    is<Equal<typeof state, 'idle' | 'subscribing' | 'subscribed' | 'refused'>>();
    // @ts-expect-error no such option
    react.useChannel(client, room, {last: 5});
    // @ts-expect-error a client is needed
    react.useChannel(undefined, room);
    const members = react.usePresence<{name: string}>(later, 'a', {name: 'Ada'});
    is<Equal<(typeof members)[number]['info'], {name: string}>>();
    // @ts-expect-error another shape than the others have
    react.usePresence<{name: string}>(later, 'a', {nick: 'Ada'});
    is<Equal<ReturnType<typeof react.useConnection>, ConnectionState>>();
    const {publish, pending, failed} = react.usePublish<ChatMessages>(later, 'a');
    void publish('chat.typing', {user: 'Ada'}, {transient: true});
    // @ts-expect-error a member is missing
    void publish('chat.message', {user: 'Ada'});
    // @ts-expect-error no such type
    void publish('chat', {});
    for (const message of pending) if (message.type === 'chat.message') is<Equal<typeof message.payload, {user: string; text: string}>>();
    for (const message of failed) if (message.type === 'chat.typing') is<Equal<typeof message.payload, {user: string}>>();
}

export function elsewhere(client: () => Client, room: () => string | undefined) {
    is<Equal<ReturnType<typeof vue.useChannel<ChatMessages>>['messages'], ComputedRef<List>>>();
    is<Equal<ReturnType<typeof solid.useChannel<ChatMessages>>['messages'], Accessor<List>>>();
    is<Equal<ReturnType<typeof angular.useChannel<ChatMessages>>['messages'], Signal<List>>>();
    is<Equal<ReturnType<typeof svelte.useConnection>, Readable<ConnectionState>>>();
    for (const {useChannel, usePresence} of [vue, solid, angular]) {
        useChannel(client, room, () => ({latest: 5}));
        usePresence<{nick: string}>(client, 'a', () => ({nick: 'Ada'}));
        // @ts-expect-error another shape than the others have
        usePresence<{nick: string}>(client, room, () => ({name: 'Ada'}));
    }
    for (const {usePublish} of [vue, solid, angular]) {
        const {publish} = usePublish<ChatMessages>(client, room);
        // @ts-expect-error a member is missing
        void publish('chat.message', {user: 'Ada'});
    }
}

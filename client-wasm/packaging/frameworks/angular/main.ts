import '@angular/compiler';
import {Component, createEnvironmentInjector, PLATFORM_ID, runInInjectionContext, signal} from '@angular/core';
import {bootstrapApplication} from '@angular/platform-browser';
import {useChannel, useConnection, usePresence, usePublish} from 'pulsewire/angular';
import {Chat} from './chat';
import {realtime} from './realtime';

const chats = signal<{room: string; user: string}[]>([]);

@Component({
    selector: '#root',
    imports: [Chat],
    template: '@for (chat of chats(); track $index) { <app-chat [room]="chat.room" [user]="chat.user" /> }',
})
class App {
    readonly chats = chats;
}

const {injector} = await bootstrapApplication(App);

const show = (...wanted: {room: string; user: string}[]) => chats.set(wanted);
/** The values of the functions where a page is rendered. */
const onServer = () => runInInjectionContext(createEnvironmentInjector([{provide: PLATFORM_ID, useValue: 'server'}], injector), () => {
    const name = 'chat:server';
    const {messages, state} = useChannel(realtime, name);
    const views = [messages, state, usePresence(realtime, name, {name: 'Ada'}), usePublish(realtime, name).pending];
    const connection = useConnection(realtime);
    return () => [...views.map((view) => view()), connection().name];
});
Object.assign(globalThis, {show, onServer});

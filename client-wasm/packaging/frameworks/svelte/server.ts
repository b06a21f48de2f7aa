import {render} from 'svelte/server';
import Chats from './chats.svelte';

export const html = () => render(Chats, {props: {chats: [{room: 'hydrated', user: 'Ada'}]}}).body;

import {connect} from 'pulsewire';

interface Messages { 'chat.message': {user: string; text: string} }

const client = connect();  // or 'https://rt.example.com'
client.on('state', (state) => console.log(state.name));
const lobby = client.channel<Messages>('chat:lobby');
lobby.on('chat.message', ({user, text}) => {
    console.log(`${user}: ${text}`);
});

// Waits while offline; done when the server keeps it.
await lobby.publish('chat.message', {user: 'Ada', text: 'Hello'});

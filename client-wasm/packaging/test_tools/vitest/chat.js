// The application of the test: a list of messages that says when it is not current.
import {connect} from 'pulsewire';

export function openChat(url, options) {
    const client = connect(url, options);
    const chat = {messages: [], online: false, gaps: 0, send: (text) => channel.publish('chat.message', {text}), close: () => client.close()};
    const channel = client.channel('chat:lobby', {latest: 20});
    channel.on('chat.message', ({text}) => chat.messages.push(text));
    channel.watch('gap', () => chat.gaps++);
    client.on('state', ({name}) => (chat.online = name === 'open'));
    return chat;
}

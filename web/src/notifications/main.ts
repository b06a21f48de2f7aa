// Everybody publishes into notify:all. Jobs run on the server: a request starts one, and the server publishes its progress
// into jobs:all for all who watch.

import {connect} from 'pulsewire';
import type {Messages, Requests} from '../messages.ts';
import {serverUrl, transportParam} from '../shared/page.ts';
import {showStatus} from '../shared/status.ts';
import * as view from './view.ts';

const client = connect<Requests>(serverUrl(), {transport: transportParam()});
showStatus(client);

const notices = client.channel<Messages>('notify:all', {latest: 20});
notices.on('notify.message', (notice, message) => {
    view.addNotice(notice, message.time);
    if (!message.replayed) view.toast(notice);
});
notices.watch('gap', ({reason}) => view.addGap(reason));
notices.watch('subscribed', () => view.showEmpty('notices', 'None yet. Send the first one.'));

const jobs = client.channel<Messages>('jobs:all', {latest: 100});
jobs.on('job.progress', (job) => view.showJob(job));
jobs.watch('subscribed', () => view.showEmpty('jobs', 'No job has run lately.'));
jobs.watch('gap', ({reason}) => { if (reason === 'epoch_changed') view.forgetJobs(); });  // they ended with the server

view.onNotify(async (notice) => { await notices.publish('notify.message', notice); });
view.onStart(async (title) => { await client.request('job.start', {title}); });
view.onCancel(async (id) => { await client.request('job.cancel', {id}); });

// Who comes from where, and what the healthy crowd uses. All of 127.0.0.0/8 is this machine.
//
// The server trusts 127.0.0.1 as a proxy, so what comes from there is counted by X-Forwarded-For, like clients from
// anywhere. What comes from the other addresses is counted as "this machine", which has no rate of its own.

export const proxy = '127.0.0.1';

// The crowd has many addresses, as visitors have.
export const crowdAddress = (number) => `127.0.1.${1 + (number % 200)}`;
export const probeAddress = (number) => `127.0.2.${1 + number}`;
export const observerAddress = '127.0.4.1';

// Attackers are few addresses: half of them strangers who come through the proxy, the others on this machine.
export const attackerPlace = (number) => (number % 2 === 0
    ? {local: proxy, forwarded: `203.0.113.${1 + ((number / 2) % 8)}`}
    : {local: `127.0.3.${1 + (((number - 1) / 2) % 2)}`});

export const crowdChannels = ['soak:0', 'soak:1', 'soak:2', 'soak:3'];
// So many of the crowd show themselves in its channels.
export const listedClients = 10;
// One healthy client answers questions here.
export const deviceChannel = 'device:soak';

// The one configuration of both servers: as testServer() takes it, and as the config file of pulsewired has it.

export const namespaces = {
    short: {history_count_max: 3},
    ticker: {slow_consumer: 'latest_per_key'},
    ask: {client_requests: true},
    news: {client_publish: false},
    quiet: {presence: false},
    volatile: {durability: 'memory'},
    large: {history_bytes_max: 64 << 20},
    declared: {types: {'chat.message': {type: 'object', properties: {text: {type: 'string', maxLength: 10}}, required: ['text']}}, other_types: false},
};

export const limits = {recovery_max: 20, channels_per_connection_max: 5, ping_ms: 2000, pong_ms: 1000, presence_leave_ms: 300, message_bytes_max: 4096};

/** Where slow clients are to be found out with messages that are not huge. */
export const limitsOfSlow = {queue_bytes_max: 200_000};

/** Who may do what where tokens are asked for. */
export const withTokens = {open: {allow: {anonymous: ['subscribe'], users: ['publish']}}, own: {allow: {owner: ['subscribe', 'publish']}}};

/** Of all clients: they come back quickly, which spares the real server's scenarios their waiting. */
export const clientOptions = {backoffMinMs: 100, backoffMaxMs: 200, onError: () => {}};

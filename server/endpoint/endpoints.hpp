#pragma once

// The endpoints, one file each. Every function answers the request, or sees to it that it will be answered;
// method and origin were checked by the router.

#include "server/shard/ports.hpp"

#include <string>
#include <string_view>

namespace pulsewire::shell {

class http_conversation;

// GET /ws and GET /ws/plain/<channel> (protocol 2.1, section 10). `channel` is still percent-encoded.
void open_websocket(http_conversation& c);
void open_plain_websocket(http_conversation& c, std::string_view channel);

// GET /sse and POST /sse (protocol 2.2, 8.1, 8.2).
void open_stream(http_conversation& c);
void post_to_stream(http_conversation& c);

// Of welcome.
void give_to_stream(node& all, const std::string& name, std::string lines, post_done done);

// GET /events (protocol 8.4).
void open_events(http_conversation& c);

// /api/channels/<channel>/messages and .../presence (protocol section 11).
void api_publish(http_conversation& c, std::string channel);
void api_history(http_conversation& c, std::string channel);
void api_presence(http_conversation& c, std::string channel);

// POST /api/revocations and /api/users/<user>/disconnect (protocol 11.6). `user` is the name on the wire.
void api_revoke(http_conversation& c);
void api_disconnect_user(http_conversation& c, std::string user);
// POST /api/users/<user>/subscribe and .../unsubscribe (protocol 11.11).
void api_subscribe_user(http_conversation& c, std::string user);
void api_unsubscribe_user(http_conversation& c, std::string user);

// POST /api/tickets, /api/session and /api/session/end (protocol 11.8). `by_key`: an API key asks, for a user
// that it names; otherwise a user, by the token of the request.
void api_ticket(http_conversation& c, bool by_key);
void api_begin_session(http_conversation& c);
void api_end_session(http_conversation& c);

// /streams/<name> (docs/streams.md), for the channel that the name stands for.
void answer_about_stream(http_conversation& c, std::string channel);

// GET /metrics, in the Prometheus text format.
void show_metrics(http_conversation& c);
// GET /api/cluster: the shared log as this node sees it (protocol 11.12).
void show_cluster(http_conversation& c);

}  // namespace pulsewire::shell

#include "server/broker/kafka/connection_guard.hpp"

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <utility>

namespace pulsewire::shell::kafka {

connection_guard::connection_guard(std::function<void(const std::string& where)> broken)
    : broken_(std::move(broken)) {}

// The states are told by the thread that connects, so a connection that has ended is known before the next
// one is begun.
void connection_guard::watch(rd_kafka_conf_t* conf) {
    rd_kafka_conf_set_opaque(conf, this);
    rd_kafka_conf_set_connect_cb(conf, [](int socket, const sockaddr* to, int size, const char*, void* self) {
        if (static_cast<const connection_guard*>(self)->is_broken_) return refusal;
        if (::connect(socket, to, static_cast<socklen_t>(size)) == 0 || errno == EINPROGRESS) return 0;
        return errno;
    });
    rd_kafka_conf_interceptor_add_on_new(
        conf, "connection_guard",
        [](rd_kafka_t* client, const rd_kafka_conf_t*, void* self, char*, std::size_t) {
            return rd_kafka_interceptor_add_on_broker_state_change(
                client, "connection_guard", &connection_guard::on_change, self
            );
        },
        this
    );
}

rd_kafka_resp_err_t connection_guard::on_change(
    rd_kafka_t* client, std::int32_t, const char*, const char* host, int port, const char* state, void* self
) {
    static_cast<connection_guard*>(self)->on_state(client, host, port, state);
    return RD_KAFKA_RESP_ERR_NO_ERROR;
}

void connection_guard::on_state(
    const rd_kafka_t* client, const std::string& host, int port, std::string_view state
) {
    const std::lock_guard hold(lock_);
    const std::tuple which{client, host, port};
    if (state == "UP" || state == "UPDATE") {
        up_.insert(which);
        has_connected_ = true;
    } else if (up_.erase(which) > 0 && !is_broken_.exchange(true)) {
        broken_(host + ":" + std::to_string(port));
    }
}

}  // namespace pulsewire::shell::kafka

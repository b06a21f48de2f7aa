#include "server/broker/kafka/settings.hpp"

#include "server/broker/kafka/topic.hpp"

#include <chrono>

namespace pulsewire::shell::kafka {
namespace {

// A broker that has answered nothing for so long is dead. The library looks once a second.
constexpr std::chrono::milliseconds patience{2'500};

}  // namespace

std::vector<setting> common_settings(const client_options& options) {
    const std::string patience_ms = std::to_string(patience.count());
    std::vector<setting> all = {
        {"bootstrap.servers", text_of(options.where.hosts)},
        {"client.id", "pulsewire"},
        {"socket.timeout.ms", patience_ms},
        {"socket.connection.setup.timeout.ms", patience_ms},
        {"api.version.request.timeout.ms", patience_ms},
        {"socket.nagle.disable", "true"},
        {"reconnect.backoff.ms", "100"},
        // So that no connection that is open, but not that of a leader, is closed for being idle.
        {"topic.metadata.refresh.interval.ms", "10000"},
        {"topic.metadata.refresh.fast.interval.ms", "100"},
        {"log.connection.close", "true"},
        {"security.protocol", options.where.tls ? "ssl" : "plaintext"},
    };
    if (options.where.tls) {
        all.push_back({"ssl.endpoint.identification.algorithm", "https"});
        if (!options.tls_ca_file.empty()) all.push_back({"ssl.ca.location", options.tls_ca_file});
        if (!options.where.certificate_file.empty()) {
            all.push_back({"ssl.certificate.location", options.where.certificate_file});
            all.push_back({"ssl.key.location", options.where.key_file});
        }
    }
    if (!options.where.user.empty()) {
        all.push_back({"security.protocol", options.where.tls ? "sasl_ssl" : "sasl_plaintext"});
        all.push_back({"sasl.mechanisms", options.where.mechanism});
        all.push_back({"sasl.username", options.where.user});
        all.push_back({"sasl.password", options.where.password});
    }
    return all;
}

const std::vector<setting>& producer_settings() {
    static const std::vector<setting> all = {
        {"acks", "all"},
        // Nothing is sent twice, so nothing has to be recognised; and the idempotent producer of the versions
        // before 2.3 ends for ever after faults of a broker.
        {"enable.idempotence", "false"},
        {"message.send.max.retries", "0"},
        // What a leader of the past refuses does not arrive after what the next one has taken.
        {"max.in.flight.requests.per.connection", "1"},
        {"linger.ms", "0"},
        {"message.max.bytes", std::to_string(batch_bytes_max)},
        {"batch.size", std::to_string(batch_bytes_max)},
        {"message.timeout.ms", "4000"},
        {"request.timeout.ms", "2000"},
        {"queue.buffering.max.kbytes", std::to_string(unsent_bytes_max >> 10)},
        // Each takes 200 bytes beside its own.
        {"queue.buffering.max.messages", "200000"},
    };
    return all;
}

const std::vector<setting>& consumer_settings() {
    static const std::vector<setting> all = {
        {"allow.auto.create.topics", "false"},
        {"auto.offset.reset", "error"},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"fetch.min.bytes", "1"},
        // A log that is opened waits until the question about those before is answered.
        {"fetch.wait.max.ms", "100"},
        {"fetch.error.backoff.ms", "50"},
        {"fetch.message.max.bytes", "1048576"},
        {"fetch.max.bytes", "8388608"},
        // What was read ahead of a slow handler.
        {"queued.max.messages.kbytes", "16384"},
    };
    return all;
}

}  // namespace pulsewire::shell::kafka

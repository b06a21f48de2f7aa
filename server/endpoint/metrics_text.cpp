#include "server/endpoint/metrics_text.hpp"

#include "common/protocol/codes.hpp"
#include "server/shard/node.hpp"
#include "server/version.hpp"

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>
#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <limits>
#include <sstream>
#include <system_error>
#include <utility>

namespace pulsewire::shell {
namespace {

using prometheus::ClientMetric;
using prometheus::MetricFamily;
using prometheus::MetricType;

class family {
public:
    family(MetricType type, std::string name, std::string help)
        : f_{std::move(name), std::move(help), type, {}} {}

    family& with(double value, std::vector<ClientMetric::Label> labels = {}) {
        ClientMetric m;
        m.label = std::move(labels);
        if (f_.type == MetricType::Counter) {
            m.counter.value = value;
        } else {
            m.gauge.value = value;
        }
        f_.metric.push_back(std::move(m));
        return *this;
    }
    family& with(const duration_histogram& h) {
        ClientMetric m;
        std::uint64_t count = 0;
        for (std::size_t i = 0; i < h.counts.size(); ++i) {
            count += h.counts[i];
            const bool last = i == h.bounds_seconds.size();
            m.histogram.bucket.push_back(
                {count, last ? std::numeric_limits<double>::infinity() : h.bounds_seconds[i]}
            );
        }
        m.histogram.sample_count = count;
        m.histogram.sample_sum = h.sum_seconds;
        f_.metric.push_back(std::move(m));
        return *this;
    }
    operator MetricFamily() const { return f_; }

private:
    MetricFamily f_;
};

family counter(std::string name, std::string help) {
    return {MetricType::Counter, std::move(name), std::move(help)};
}
family gauge(std::string name, std::string help) {
    return {MetricType::Gauge, std::move(name), std::move(help)};
}

template <class Get>
auto total(const std::vector<shard_metrics>& shards, Get&& get) {
    double sum = 0;
    for (const shard_metrics& s : shards) sum += static_cast<double>(get(s));
    return sum;
}

// One metric for each shard, labelled with its index.
template <class Get>
MetricFamily per_shard(family&& f, const std::vector<shard_metrics>& shards, Get&& get) {
    for (std::size_t i = 0; i < shards.size(); ++i)
        f.with(static_cast<double>(get(shards[i])), {{"shard", std::to_string(i)}});
    return f;
}

template <class Get>
MetricFamily per_transport(family&& f, const std::vector<shard_metrics>& shards, Get&& get) {
    for (std::size_t i = 0; i < transport_count; ++i) {
        const double value = total(shards, [&](const shard_metrics& s) { return get(s)[i]; });
        f.with(value, {{"transport", std::string(name_of(static_cast<transport>(i)))}});
    }
    return f;
}

MetricFamily errors_by_code(const std::vector<shard_metrics>& shards) {
    family f = counter("pulsewire_errors_total", "Error answers to commands, by code");
    for (std::size_t i = 1; i < shards.front().errors.size(); ++i) {
        const std::string_view name = pulsewire::name_of(static_cast<error_code>(i));
        const double value = total(shards, [&](const shard_metrics& s) { return s.errors[i]; });
        if (!name.empty() && value > 0) f.with(value, {{"code", std::string(name)}});
    }
    return f;
}

MetricFamily drops_by_policy(const std::vector<shard_metrics>& shards) {
    family f = counter(
        "pulsewire_queue_dropped_total",
        "Messages that waited for a slow connection and were dropped, by the policy of their namespace"
    );
    for (const auto policy :
         {slow_consumer::disconnect, slow_consumer::drop_oldest, slow_consumer::latest_per_key}) {
        const double value = total(shards, [&](const shard_metrics& s) {
            const std::uint64_t alone = s.publication_drops[static_cast<std::size_t>(policy)];
            return policy == slow_consumer::disconnect ? s.queue_drops : alone;
        });
        f.with(value, {{"policy", std::string(name_of(policy))}});
    }
    return f;
}

MetricFamily refusals_by_reason(const std::vector<shard_metrics>& shards) {
    family f = counter("pulsewire_refused_total", "Clients turned away, by the reason");
    for (std::size_t i = 0; i < std::size(refusal_names); ++i) {
        const double value = total(shards, [&](const shard_metrics& s) { return s.turned_away[i]; });
        f.with(value, {{"reason", std::string(refusal_names[i])}});
    }
    return f;
}

MetricFamily responses_by_class(const std::vector<shard_metrics>& shards) {
    family f =
        counter("pulsewire_http_responses_total", "Answers to HTTP requests, by the class of their status");
    for (std::size_t i = 1; i <= 5; ++i) {
        const double value = total(shards, [&](const shard_metrics& s) { return s.responses[i]; });
        f.with(value, {{"status", std::to_string(i) + "xx"}});
    }
    return f;
}

MetricFamily durations(
    std::string name, std::string help, const std::vector<shard_metrics>& shards,
    duration_histogram shard_metrics::*which
) {
    duration_histogram sum;
    for (const shard_metrics& s : shards) sum.add(s.*which);
    return family(MetricType::Histogram, std::move(name), std::move(help)).with(sum);
}

double resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::uint64_t size = 0, resident = 0;
    statm >> size >> resident;
    return static_cast<double>(resident) * static_cast<double>(::sysconf(_SC_PAGESIZE));
}

double cpu_seconds() {
    rusage usage{};
    if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
    const auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double open_descriptors() {
    std::error_code ignored;
    const std::filesystem::directory_iterator all("/proc/self/fd", ignored);
    const auto count = std::distance(begin(all), end(all));
    return static_cast<double>(count > 0 ? count - 1 : 0);  // without that of the look itself
}

double descriptors_max() {
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
    return static_cast<double>(limit.rlim_cur);
}

duration_histogram commits_of(const storage_counters& c) {
    duration_histogram h;
    for (std::size_t i = 0; i < h.counts.size(); ++i) h.counts[i] = c.by_duration[i];
    h.sum_seconds = static_cast<double>(c.microseconds) / 1e6;
    return h;
}

std::vector<MetricFamily> storage_families(const storage_counters& c) {
    return {
        family(
            MetricType::Histogram, "pulsewire_storage_commit_seconds",
            "Group commits: the write of what waited and its fsync"
        )
            .with(commits_of(c)),
        counter("pulsewire_storage_commits_total", "Group commits to the data folder, each one fsync")
            .with(static_cast<double>(c.commits)),
        counter("pulsewire_storage_operations_total", "Operations in them")
            .with(static_cast<double>(c.operations)),
        counter("pulsewire_storage_seconds_total", "Time spent in them")
            .with(static_cast<double>(c.microseconds) / 1e6),
        counter("pulsewire_storage_failures_total", "Commits that failed; their publishes were refused")
            .with(static_cast<double>(c.failures)),
        gauge("pulsewire_storage_failing", "1 while durable publishes are refused because the disk fails")
            .with(c.failing ? 1 : 0),
    };
}

// Of all partitions of the shared log.
std::vector<MetricFamily> cluster_families(const std::vector<shard_metrics>& s) {
    std::uint64_t nodes = 0, waiting = 0, records = 0, behind = 0, all = 0, serving = 0, channels = 0;
    bool degraded = false;
    for (const shard_metrics& shard : s)
        for (const cluster::partition_facts& p : shard.partitions) {
            ++all;
            serving += p.serves;
            degraded = degraded || !p.degraded_because.empty();
            nodes = std::max(nodes, p.nodes);
            waiting += p.waiting;
            records += p.records;
            behind += p.bytes;
            channels += p.channels;
        }
    const auto number = [](std::uint64_t n) { return static_cast<double>(n); };
    return {
        gauge("pulsewire_cluster_nodes", "Nodes that the shared log counts as alive").with(number(nodes)),
        gauge("pulsewire_cluster_partitions", "Partitions of the shared log").with(number(all)),
        gauge("pulsewire_cluster_partitions_serving", "... of which this node's copy serves")
            .with(number(serving)),
        gauge("pulsewire_cluster_degraded", "1 while clients are told that the shared log does not go on")
            .with(degraded ? 1 : 0),
        gauge("pulsewire_cluster_waiting", "Publishes and reads that wait for the shared log")
            .with(number(waiting)),
        gauge("pulsewire_cluster_channels", "Channels of the shared log").with(number(channels)),
        counter(
            "pulsewire_cluster_records_total", "Records of the shared log that this node's copies stand for"
        )
            .with(number(records)),
        gauge("pulsewire_cluster_log_bytes", "Bytes of the shared log behind the newest checkpoints")
            .with(number(behind)),
    };
}

std::vector<MetricFamily> tls_families(const std::vector<shard_metrics>& s, std::int64_t expires_s) {
    const auto handshakes = [&](std::size_t kind) {
        return total(s, [kind](const shard_metrics& x) { return x.tls_handshakes[kind]; });
    };
    return {
        counter(
            "pulsewire_tls_handshakes_total",
            "TLS handshakes that came to their end, by whether a ticket shortened them"
        )
            .with(handshakes(0), {{"resumed", "false"}})
            .with(handshakes(1), {{"resumed", "true"}}),
        counter(
            "pulsewire_tls_handshake_errors_total", "Connections that ended before their TLS handshake did"
        )
            .with(total(s, [](const shard_metrics& x) { return x.tls_handshake_errors; })),
        gauge("pulsewire_tls_certificate_expires_seconds", "When the certificate ends, in seconds since 1970")
            .with(static_cast<double>(expires_s)),
    };
}

std::vector<MetricFamily> authorization_families(const authorization_counters& c) {
    return {
        counter("pulsewire_authorize_total", "Commands that an authorize_url decided about, by its word")
            .with(static_cast<double>(c.allowed), {{"word", "allowed"}})
            .with(static_cast<double>(c.refused), {{"word", "refused"}})
            .with(static_cast<double>(c.failed), {{"word", "none"}}),
        counter("pulsewire_authorize_remembered_total", "Of them, those about which it was not asked again")
            .with(static_cast<double>(c.remembered)),
        counter("pulsewire_authorize_seconds_total", "Time from the questions to their answers")
            .with(static_cast<double>(c.microseconds) / 1e6),
        gauge("pulsewire_authorize_waiting", "Commands that wait for a word").with(c.waiting),
    };
}

std::vector<MetricFamily> families(const std::vector<shard_metrics>& s, const node& all) {
    using m = const shard_metrics&;
    return {
        gauge("pulsewire_info", "The version of the server").with(1, {{"version", std::string(version)}}),
        per_transport(
            gauge("pulsewire_connections", "Open connections"), s, [](m x) -> auto& { return x.open; }
        ),
        per_transport(
            counter("pulsewire_connections_total", "Connections since the start"), s,
            [](m x) -> auto& { return x.accepted; }
        ),
        gauge("pulsewire_connections_max", "Connections that may be open").with(all.connections_max()),
        counter("pulsewire_connections_refused_total", "Connections refused because there were too many")
            .with(total(s, [](m x) { return x.refused; })),
        refusals_by_reason(s),
        counter("pulsewire_accept_errors_total", "Failed attempts to accept a connection")
            .with(total(s, [](m x) { return x.accept_errors; })),
        gauge("pulsewire_subscriptions", "Subscriptions of open connections")
            .with(total(s, [](m x) { return x.subscriptions; })),
        gauge("pulsewire_channels", "Channels with a log in memory")
            .with(total(s, [](m x) { return x.channels; })),
        counter("pulsewire_messages_received_total", "Frames received from clients")
            .with(total(s, [](m x) { return x.hub.commands; })),
        counter("pulsewire_publications_total", "Messages put in order")
            .with(total(s, [](m x) { return x.hub.publications; })),
        counter(
            "pulsewire_publications_repeated_total",
            "Publishes whose key was known, answered with the first position"
        )
            .with(total(s, [](m x) { return x.hub.duplicates; })),
        counter(
            "pulsewire_publications_key_reused_total",
            "Publishes refused because their key stands for another message"
        )
            .with(total(s, [](m x) { return x.hub.keys_reused; })),
        gauge(
            "pulsewire_history_bytes",
            "What all channels and their histories take, of history_bytes_total_max"
        )
            .with(total(s, [](m x) { return x.history_bytes; })),
        counter(
            "pulsewire_histories_shrunk_total",
            "Times that a channel gave up publications because all histories together were too large"
        )
            .with(total(s, [](m x) { return x.hub.histories_shrunk; })),
        counter("pulsewire_publications_unstored_total", "Publishes refused because the disk failed")
            .with(total(s, [](m x) { return x.hub.unstored; })),
        counter("pulsewire_messages_delivered_total", "Messages handed to subscribers")
            .with(total(s, [](m x) { return x.hub.deliveries; })),
        counter("pulsewire_received_bytes_total", "Bytes read from connections")
            .with(total(s, [](m x) { return x.bytes_in; })),
        counter("pulsewire_sent_bytes_total", "Bytes written to connections")
            .with(total(s, [](m x) { return x.bytes_out; })),
        counter("pulsewire_recoveries_total", "Subscribes with a position, by outcome")
            .with(total(s, [](m x) { return x.hub.recoveries; }), {{"recovered", "true"}})
            .with(total(s, [](m x) { return x.hub.failed_recoveries; }), {{"recovered", "false"}}),
        counter("pulsewire_slow_consumers_total", "Connections closed because they read too slowly")
            .with(total(s, [](m x) { return x.slow_closes; })),
        drops_by_policy(s),
        gauge("pulsewire_waiting_bytes", "Memory of what waits for readers that do not keep up")
            .with(total(s, [](m x) { return x.waiting_bytes; })),
        counter(
            "pulsewire_waiting_cuts_total",
            "Connections closed because all slow readers together made too much wait"
        )
            .with(total(s, [](m x) { return x.waiting_cuts; })),
        gauge("pulsewire_mail_bytes", "What loops posted to each other and did not receive yet")
            .with(static_cast<double>(all.mail().bytes())),
        counter(
            "pulsewire_mail_pauses_total",
            "Times that no client was read because loops did not keep up with each other"
        )
            .with(static_cast<double>(all.mail().pauses())),
        counter("pulsewire_write_timeouts_total", "Connections dropped because a write made no progress")
            .with(total(s, [](m x) { return x.write_timeouts; })),
        counter(
            "pulsewire_exceptions_total", "Exceptions stopped at the boundary of a connection: each is a bug"
        )
            .with(total(s, [](m x) { return x.exceptions; })),
        errors_by_code(s),
        responses_by_class(s),
        durations(
            "pulsewire_publish_seconds", "HTTP API: from a publish to its answer", s, &shard_metrics::publish
        ),
        durations(
            "pulsewire_delivery_seconds",
            "Per turn of a loop: from the order of its oldest publication to the write", s,
            &shard_metrics::delivery
        ),
        durations(
            "pulsewire_loop_lag_seconds",
            "Twice a second for each loop: how long what was due waited for its turn", s,
            &shard_metrics::loop_lag
        ),
        gauge("pulsewire_loops_refusing", "Loops that take no new clients because they are late")
            .with(total(s, [](m x) { return x.refuses_clients; })),
        per_shard(
            gauge("pulsewire_shard_sessions", "Sessions of a shard"), s, [](m x) { return x.sessions; }
        ),
        per_shard(
            gauge("pulsewire_shard_channels", "Channels that a shard owns"), s, [](m x) { return x.channels; }
        ),
        per_shard(
            counter("pulsewire_shard_publications_total", "Messages that a shard put in order"), s,
            [](m x) { return x.hub.publications; }
        ),
        per_shard(
            counter("pulsewire_shard_deliveries_total", "Messages that a shard handed to its connections"), s,
            [](m x) { return x.hub.deliveries; }
        ),
        gauge("process_resident_memory_bytes", "Memory of the process that is in use").with(resident_bytes()),
        counter("process_cpu_seconds_total", "Processor time of the process").with(cpu_seconds()),
        gauge("process_open_fds", "Open descriptors of the process").with(open_descriptors()),
        gauge("process_max_fds", "Descriptors that the process may open").with(descriptors_max()),
        gauge("process_start_time_seconds", "When the server was started, in seconds since 1970")
            .with(static_cast<double>(all.started_s())),
    };
}

std::vector<MetricFamily> feed_families(std::span<const feed_counters* const> feeds) {
    const auto each = [&](family&& f, auto get) {
        for (const feed_counters* one : feeds) f.with(static_cast<double>(get(*one)), {{"feed", one->name}});
        return f;
    };
    using c = const feed_counters&;
    return {
        each(
            counter("pulsewire_consume_published_total", "Records of a broker that became messages"),
            [](c one) { return one.published.load(); }
        ),
        each(
            counter("pulsewire_consume_bad_total", "Records of a broker that can be no message"),
            [](c one) { return one.bad.load(); }
        ),
        each(
            counter("pulsewire_consume_retries_total", "Publishes of records that were refused for now"),
            [](c one) { return one.retries.load(); }
        ),
        each(
            gauge("pulsewire_consume_in_flight", "Records that were read and have no outcome yet"),
            [](c one) { return one.in_flight.load(); }
        ),
        each(
            gauge("pulsewire_consume_connected", "Whether the broker of a feed answers"),
            [](c one) { return one.connected.load(); }
        ),
        each(
            gauge("pulsewire_consume_reading", "Whether this server is the one that reads for a feed"),
            [](c one) { return one.reading.load(); }
        ),
    };
}

std::vector<MetricFamily> forward_families(std::span<const forward_counters* const> forwards) {
    const auto each = [&](family&& f, auto get) {
        for (const forward_counters* one : forwards)
            f.with(static_cast<double>(get(*one)), {{"forward", one->name}});
        return f;
    };
    using c = const forward_counters&;
    return {
        each(
            counter("pulsewire_forward_published_total", "Publications that a destination has acknowledged"),
            [](c one) { return one.forwarded.load(); }
        ),
        each(
            counter("pulsewire_forward_refused_total", "Publications that a destination never takes"),
            [](c one) { return one.refused.load(); }
        ),
        each(
            counter(
                "pulsewire_forward_lost_total", "Publications that were kept no more when their turn came"
            ),
            [](c one) { return one.lost.load(); }
        ),
        each(
            gauge("pulsewire_forward_waiting_channels", "Channels with something that is not forwarded yet"),
            [](c one) { return one.channels.load(); }
        ),
        each(
            gauge("pulsewire_forward_in_flight", "Publications that are on their way to a destination"),
            [](c one) { return one.in_flight.load(); }
        ),
        each(
            gauge("pulsewire_forward_connected", "Whether a destination answers"),
            [](c one) { return one.connected.load(); }
        ),
        each(
            gauge("pulsewire_forward_forwarding", "Whether this server forwards something"),
            [](c one) { return one.forwarding.load(); }
        ),
    };
}

}  // namespace

std::string metrics_text(const std::vector<shard_metrics>& shards, const node& all) {
    std::ostringstream out;
    std::vector<MetricFamily> shown = families(shards, all);
    if (const storage_counters* storage = all.storage_metrics())
        for (MetricFamily& f : storage_families(*storage)) shown.push_back(std::move(f));
    if (all.shares_log())
        for (MetricFamily& f : cluster_families(shards)) shown.push_back(std::move(f));
    if (!all.feeds().empty())
        for (MetricFamily& f : feed_families(all.feeds())) shown.push_back(std::move(f));
    if (!all.forwards().empty())
        for (MetricFamily& f : forward_families(all.forwards())) shown.push_back(std::move(f));
    for (const observer_port* observer : all.observers())
        if (const authorization_counters* asked = observer->authorizations())
            for (MetricFamily& f : authorization_families(*asked)) shown.push_back(std::move(f));
    if (all.has_tls())
        for (MetricFamily& f : tls_families(shards, all.certificate_expires_s()))
            shown.push_back(std::move(f));
    prometheus::TextSerializer().Serialize(out, shown);
    return out.str();
}

}  // namespace pulsewire::shell

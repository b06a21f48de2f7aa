// GET /metrics and /api/cluster. Each shard gives a copy of its numbers on its own thread; the last one to
// answer wakes the request.

#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/endpoint/metrics_text.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <boost/asio/post.hpp>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <memory>
#include <vector>

namespace pulsewire::shell {
namespace {

struct collection {
    explicit collection(std::size_t shards) : copies(shards), missing(shards) {}
    std::vector<shard_metrics> copies;  // each written by its shard alone
    std::atomic<std::size_t> missing;
};

// Answers with what `answer_of` makes of the copies of all shards.
template <class Answer>
void collect(http_conversation& c, Answer answer_of) {
    node& all = c.own_node();
    shard& asker = c.own_shard();
    const std::uint64_t connection = c.owner().id();
    const std::uint64_t ticket = c.wait_for_answer();
    // Shared: by the shards that still write into it.
    auto collected = std::make_shared<collection>(all.shard_count());
    for (hub::shard_index i = 0; i < all.shard_count(); ++i) {
        shard& asked = all.at(i);
        boost::asio::post(asked.loop(), [&all, &asker, &asked, connection, ticket, collected, answer_of] {
            collected->copies[asked.index()] = asked.metrics_copy();
            if (--collected->missing > 0) return;
            boost::asio::post(asker.loop(), [&all, &asker, connection, ticket, collected, answer_of] {
                auto* waiting = http_conversation::waiting(asker, connection, ticket);
                if (waiting == nullptr) return;
                response r = answer_of(collected->copies, all);
                r.add("Cache-Control", "no-store");
                waiting->answer(std::move(r));
            });
        });
    }
}

response cluster_answer(const std::vector<shard_metrics>& copies) {
    using nlohmann::json;
    json partitions = json::array();
    bool degraded = false;
    std::uint64_t nodes = 0;
    std::map<cluster::partition_index, const cluster::partition_facts*> sorted;
    for (const shard_metrics& s : copies)
        for (const cluster::partition_facts& p : s.partitions) sorted[p.partition] = &p;
    for (const auto& [index, p] : sorted) {
        json one = {{"partition", index},    {"serving", p->serves},    {"nodes", p->nodes},
                    {"records", p->records}, {"channels", p->channels}, {"waiting", p->waiting},
                    {"log_bytes", p->bytes}};
        if (!p->degraded_because.empty()) one["reason"] = p->degraded_because;
        degraded = degraded || !p->degraded_because.empty();
        nodes = std::max(nodes, p->nodes);
        partitions.push_back(std::move(one));
    }
    response r;
    r.content_type = "application/json";
    r.body = json{{"nodes", nodes}, {"degraded", degraded}, {"partitions", std::move(partitions)}}.dump(
        -1, ' ', false, json::error_handler_t::replace
    );
    r.body += '\n';
    return r;
}

}  // namespace

void show_metrics(http_conversation& c) {
    collect(c, [](const std::vector<shard_metrics>& copies, const node& all) {
        response r;
        r.content_type = "text/plain; version=0.0.4; charset=utf-8";
        r.body = metrics_text(copies, all);
        return r;
    });
}

void show_cluster(http_conversation& c) {
    if (!c.own_node().shares_log())
        return c.answer(error_response(
            404, error_code::not_found, "this server shares no log with others: --broker names one"
        ));
    collect(c, [](const std::vector<shard_metrics>& copies, const node&) { return cluster_answer(copies); });
}

}  // namespace pulsewire::shell

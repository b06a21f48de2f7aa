// GET /metrics. Each shard gives a copy of its numbers on its own thread; the last one to answer wakes the
// request.

#include "server/endpoint/endpoints.hpp"
#include "server/endpoint/http_conversation.hpp"
#include "server/endpoint/metrics_text.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <boost/asio/post.hpp>

#include <atomic>
#include <memory>
#include <vector>

namespace pulsewire::shell {
namespace {

struct collection {
    explicit collection(std::size_t shards) : copies(shards), missing(shards) {}
    std::vector<shard_metrics> copies;  // each written by its shard alone
    std::atomic<std::size_t> missing;
};

}  // namespace

void show_metrics(http_conversation& c) {
    node& all = c.own_node();
    shard& asker = c.own_shard();
    const std::uint64_t connection = c.owner().id();
    const std::uint64_t ticket = c.wait_for_answer();
    // Shared: by the shards that still write into it.
    auto collected = std::make_shared<collection>(all.shard_count());
    for (hub::shard_index i = 0; i < all.shard_count(); ++i) {
        shard& asked = all.at(i);
        boost::asio::post(asked.loop(), [&all, &asker, &asked, connection, ticket, collected] {
            collected->copies[asked.index()] = asked.metrics_copy();
            if (--collected->missing > 0) return;
            boost::asio::post(asker.loop(), [&all, &asker, connection, ticket, collected] {
                auto* waiting = http_conversation::waiting(asker, connection, ticket);
                if (waiting == nullptr) return;
                response r;
                r.content_type = "text/plain; version=0.0.4; charset=utf-8";
                r.body = metrics_text(collected->copies, all);
                r.add("Cache-Control", "no-store");
                waiting->answer(std::move(r));
            });
        });
    }
}

}  // namespace pulsewire::shell

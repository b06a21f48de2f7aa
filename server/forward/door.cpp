#include "server/forward/door.hpp"

#include "common/protocol/command.hpp"
#include "server/shard/shard.hpp"

#include <boost/asio/post.hpp>

#include <unordered_map>
#include <utility>

namespace pulsewire::shell::forward {

namespace asio = boost::asio;

namespace {

// The largest that the protocol has; a page ends sooner when it is large.
constexpr std::uint64_t page_max = 300;

}  // namespace

// On the thread of the shard, but for the construction.
class door::inside : public std::enable_shared_from_this<inside> {
public:
    inside(shard& home, std::string session, std::shared_ptr<asio::io_context> loop, on_page read)
        : home_(home), session_(std::move(session)), loop_(std::move(loop)), read_(std::move(read)) {}

    shard& home() const { return home_; }

    void open() {
        id_ = home_.programs().add([this](const hub::message& answer) { on_answer(answer); });
        home_.tell_hub([&](hub::hub& h, hub::instant now) { h.open(id_, hub::face::api, {}, session_, now); }
        );
    }

    void read(const std::string& channel, std::uint64_t after) {
        if (!home_.mail_has_room()) return tell(channel, {}, 0, {}, false);
        const std::uint64_t number = ++last_;
        asked_.emplace(number, channel);
        command c;
        c.op = command_op::history;
        c.id = number;
        c.channel = channel;
        c.offset = after;
        c.has_offset = true;
        c.limit = page_max;
        home_.tell_hub([&](hub::hub& h, hub::instant now) { h.execute(id_, c, now); });
    }

    void publish(const std::string& channel, const std::string& payload) {
        if (!home_.mail_has_room()) return;
        command c;
        c.op = command_op::publish;
        c.id = ++last_;
        c.channel = channel;
        c.type = "pulsewire.place";
        c.payload = payload;
        home_.tell_hub([&](hub::hub& h, hub::instant now) { h.execute(id_, c, now); });
    }

    void close() {
        home_.programs().remove(id_);
        home_.tell_hub([&](hub::hub& h, hub::instant now) { h.closed(id_, now); });
    }

private:
    void on_answer(const hub::message& answer) {
        const auto found = asked_.extract(answer.id);
        if (found.empty()) return;
        tell(
            std::move(found.mapped()), std::string(answer.epoch()), answer.offset,
            std::string(answer.payload()), answer.kind == hub::message_kind::history
        );
    }

    // Read on the loop, which has the time for it.
    void tell(
        std::string channel, std::string epoch, std::uint64_t head, std::string publications, bool is_page
    ) {
        asio::post(
            *loop_,
            [self = shared_from_this(), channel = std::move(channel), epoch = std::move(epoch), head,
             text = std::move(publications), is_page] {
                auto found = is_page ? read_publications(text, channel, epoch) : std::nullopt;
                if (!found) return self->read_(channel, std::nullopt);
                self->read_(channel, page{epoch, head, std::move(*found)});
            }
        );
    }

    shard& home_;
    const std::string session_;
    const std::shared_ptr<asio::io_context> loop_;
    const on_page read_;  // called on the loop
    std::uint64_t id_ = 0;
    std::uint64_t last_ = 0;
    std::unordered_map<std::uint64_t, std::string> asked_;  // channels
};

door::door(
    node& home, hub::shard_index where, std::string session, std::shared_ptr<asio::io_context> loop,
    on_page read
)
    : inside_(std::make_shared<inside>(home.at(where), std::move(session), std::move(loop), std::move(read))
      ) {
    asio::post(inside_->home().loop(), [in = inside_] { in->open(); });
}

door::~door() {
    asio::post(inside_->home().loop(), [in = inside_] { in->close(); });
}

void door::read(const std::string& channel, std::uint64_t after) {
    asio::post(inside_->home().loop(), [in = inside_, channel, after] { in->read(channel, after); });
}

void door::publish(const std::string& channel, std::string payload) {
    asio::post(inside_->home().loop(), [in = inside_, channel, payload = std::move(payload)] {
        in->publish(channel, payload);
    });
}

}  // namespace pulsewire::shell::forward

// POST /streams/<name> in pieces (docs/streams.md): what has arrived of the body is appended while the rest
// is on its way. One piece is under way at a time; what comes meanwhile is the next one, so a slow disk makes
// the pieces larger and not more, and beyond a piece's size the client waits.

#include "server/endpoint/http_conversation.hpp"
#include "server/endpoint/stream_doors.hpp"
#include "server/http/chunked.hpp"
#include "server/net/address_limits.hpp"
#include "server/shard/node.hpp"
#include "server/shard/shard.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <utility>

namespace pulsewire::shell {
namespace {

// The bytes at the front that end with a whole character of UTF-8, where the text has any.
std::size_t whole_characters(std::string_view text) {
    std::size_t at = text.size();
    for (int back = 0; back < 4 && at > 0; ++back) {
        const auto byte = static_cast<unsigned char>(text[--at]);
        if ((byte & 0xc0) == 0x80) continue;
        const std::size_t size = byte < 0x80 ? 1 : byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1;
        return at + size > text.size() ? at : text.size();
    }
    return text.size();
}

class stream_writer final : public conversation {
public:
    stream_writer(http_conversation& c, const std::string& channel, stream_addition wanted)
        : conversation(transport::stream),
          owner_(c.owner()),
          shard_(c.own_shard()),
          node_(c.own_node()),
          client_(c.client()),
          who_(c.who()),
          channel_(channel),
          wanted_(std::move(wanted)),
          is_text_(streams::is_text(wanted_.content_type)),
          awaits_continue_(c.asked().expects_continue),
          chunks_(std::numeric_limits<std::size_t>::max() / 2, shard_.bounds().http_head_bytes_max),
          use_(shard_.desk().open(channel, [this] { settle(); })) {
        use_.expect_outcomes();
        head_fields_ = c.cors_fields();
    }

    void on_begin() override {
        shard_.tell_hub([&](hub::hub& h, hub::instant now) {
            h.open(owner_.id(), hub::face::api, {}, "api", now, 0, who_);
        });
        if (awaits_continue_) {
            owner_.out().push_raw(std::string("HTTP/1.1 100 Continue\r\n\r\n"));
            owner_.flush_soon();
        }
        wait_for_more();
    }

    void on_bytes(std::span<char> bytes) override {
        if (owner_.finishing()) return;
        raw_.append(bytes.data(), bytes.size());
        std::string_view rest = raw_;
        const auto how = chunks_.take(rest, piece_);
        raw_.erase(0, raw_.size() - rest.size());
        if (how == chunked_reader::outcome::refused) return answer(error_response(refusal(chunks_.why())));
        is_whole_ = how == chunked_reader::outcome::whole;
        if (!is_under_way_) wait_for_more();
        if (is_whole_ || piece_.size() >= piece_bytes_max()) owner_.pause_reading();
        go_on();
    }

    // Whoever has said everything may say that.
    void on_end() override {
        if (!is_whole_) owner_.drop();
    }
    void on_drained() override {}

    void on_deadline() override {
        if (std::exchange(rests_, false)) {
            wait_for_more();
            if (!is_whole_) owner_.resume_reading();
            return go_on();
        }
        if (is_under_way_)
            return answer(stream_error(503, "overloaded", "the answer took too long; look at the stream"));
        answer(stream_error(408, "timeout", "no piece came for stream_pause_ms; those before are appended"));
    }
    void on_overflow() override { owner_.drop(); }
    void on_lost() override {
        shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.closed(owner_.id(), now); });
    }
    void on_close(close_code, std::string_view) override {
        answer(stream_error(503, "overloaded", "the server cannot go on now; look at the stream"));
    }

    void on_message(const hub::message_ptr& m, delivery::counts) override {
        if (!is_under_way_ || published_ != 0 || m->id != pieces_) return;
        if (m->kind == hub::message_kind::error) return answer(refused_by_hub(*m));
        published_ = m->offset;
        settle();
    }

private:
    std::size_t piece_bytes_max() const { return shard_.settings().bounds.message_bytes_max; }

    void wait_for_more() { owner_.set_deadline(shard_.now().monotonic_ms + shard_.bounds().stream_pause_ms); }

    // Appends what is there.
    void go_on() {
        if (owner_.gone() || owner_.finishing() || is_under_way_ || rests_) return;
        std::size_t size = std::min(piece_.size(), piece_bytes_max());
        const bool is_last = is_whole_ && size == piece_.size();
        if (is_text_ && !is_last) size = whole_characters(std::string_view(piece_).substr(0, size));
        if (size == 0 && !(is_last && wanted_.added.closed && !is_closed_)) {
            if (is_whole_ && piece_.empty()) finish();
            return;
        }
        // Each counts as a request of its own.
        if (const std::int64_t wait_ms = node_.addresses()->request(client_, shard_.now().monotonic_ms, 1);
            wait_ms > 0) {
            rests_ = true;
            owner_.pause_reading();
            return owner_.set_deadline(shard_.now().monotonic_ms + wait_ms);
        }
        streams::addition a = wanted_.added;
        a.closed = is_closed_ = is_last && wanted_.added.closed;
        const streams::written text = streams::write(a, std::string_view(piece_).substr(0, size), false);
        piece_.erase(0, size);
        is_under_way_ = true;
        published_ = 0;
        command c;
        c.op = command_op::publish;
        c.id = ++pieces_;
        c.channel = channel_;
        c.type = streams::append_type;
        c.payload = text.payload;
        c.binary = text.binary;
        owner_.set_deadline(shard_.now().monotonic_ms + shard_.bounds().http_answer_timeout_ms);
        shard_.tell_hub([&](hub::hub& h, hub::instant now) { h.execute(owner_.id(), c, now); });
    }

    // The hub has answered, or the stream has changed.
    void settle() {
        if (!is_under_way_ || published_ == 0 || owner_.gone() || owner_.finishing()) return;
        const auto o = use_.outcome_at(published_);
        if (!o) return;
        is_under_way_ = false;
        if (o->what != streams::verdict::taken) return answer(answer_to(*o, wanted_, use_.log().born_ms()));
        appended_ = *o;
        wait_for_more();
        if (!is_whole_ && piece_.size() < piece_bytes_max()) owner_.resume_reading();
        go_on();
    }

    void finish() {
        if (pieces_ == 0)
            return answer(stream_error(400, "invalid_frame", "there is nothing to append: the body is empty")
            );
        answer(answer_to(appended_, wanted_, use_.log().born_ms()));
    }

    // Behind a body that was not read to its end nothing can follow.
    void answer(response r) {
        if (owner_.gone() || owner_.finishing()) return;
        ++shard_.metrics().responses[static_cast<std::size_t>(std::clamp(r.status / 100, 0, 5))];
        for (const auto& [name, value] : head_fields_) r.add(name, value);
        owner_.out().push_raw(last_words(r));
        on_lost();
        owner_.finish(connection::farewell::linger);
    }

    connection& owner_;
    shard& shard_;
    node& node_;
    const address client_;
    const access::principal_ptr who_;
    const std::string channel_;
    const stream_addition wanted_;
    const bool is_text_;
    const bool awaits_continue_;
    std::vector<std::pair<std::string, std::string>> head_fields_;  // that let a page read the answer
    chunked_reader chunks_;
    std::string raw_;              // not read yet: the beginning of a line between chunks
    std::string piece_;            // read, and not appended
    std::uint64_t pieces_ = 0;     // appended, or under way; also the id of the newest publish
    std::uint64_t published_ = 0;  // the offset of the piece under way; 0: not known yet
    streams::outcome appended_;    // the newest
    bool is_under_way_ = false, is_whole_ = false, is_closed_ = false;
    bool rests_ = false;  // until its address may send more
    stream_desk::use use_;
};

}  // namespace

void append_pieces(http_conversation& c, std::string channel, stream_addition wanted) {
    c.hand_over(std::make_unique<stream_writer>(c, channel, std::move(wanted)));
}

}  // namespace pulsewire::shell

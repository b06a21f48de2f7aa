#include "server/shard/connection.hpp"

#include "server/log.hpp"
#include "server/shard/shard_port.hpp"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <string>
#include <utility>

namespace pulsewire::shell {
namespace {

// The bytes that a peer may send after our last words before it is cut off: more than the largest message
// that a WebSocket reader begins to skip, so that whoever sends one reads why it was too large.
constexpr std::uint32_t discarded_bytes_max = 32 << 20;
// Sweeps without a byte of the peer after which it is looked at what it takes: some seconds, so that who
// answers in time costs nothing.
constexpr std::uint8_t quiet_sweeps_min = 6;
// Bytes that a peer must take between two sweeps to be on a slow link, of at least so many on their way: half
// of the usual floor rate of a second. A ping alone, which a kernel takes without its program, is less.
constexpr std::uint32_t taken_bytes_min = 256;
constexpr std::uint32_t in_flight_bytes_min = 1'024;

// Reads of one connection in a turn, each of a full buffer of 64 KiB: as many as leave in one write.
constexpr std::size_t reads_per_turn_max = 4;

// Unique in the process, for the log.
std::string name_of_connection(const shard_port& home, std::uint64_t id) {
    return std::to_string(home.index()) + "." + std::to_string(id);
}

}  // namespace

connection::connection(shard_port& home, std::uint64_t id, tcp_socket&& socket)
    : home_(home),
      id_(id),
      socket_(std::move(socket)),
      out_(home.storage()),
      began_ms_(home.now().monotonic_ms) {}

connection::~connection() {
    home_.storage().memory().change(unread_bytes_, 0);
}

void connection::start(std::unique_ptr<conversation> first, const tls_context* tls) {
    conversation_ = std::move(first);
    home_.metrics().opened(conversation_->kind());
    if (log::enabled(log::level::debug))
        log::debug("connection ", name_of_connection(home_, id_), " opened from ", peer_.str());
    if (tls != nullptr) tls_ = tls->new_session();
    watched_ = {true, false};
    home_.poll().add(socket_.descriptor(), id_, watched_);
    // A browser's or a proxy's request is usually there already.
    on_readable();
}

void connection::become(std::unique_ptr<conversation> next) {
    next_ = std::move(next);
}

// Before every event and after it: what upgrades the connection may also come from elsewhere, between two
// events.
void connection::adopt_next() {
    if (!next_ || gone_) return;
    home_.metrics().changed(conversation_->kind(), next_->kind());
    if (log::enabled(log::level::debug))
        log::debug("connection ", name_of_connection(home_, id_), " upgraded to ", name_of(next_->kind()));
    conversation_ = std::move(next_);
}

void connection::on_ready(poller::readiness what) {
    if (gone_) return;
    if (what.writes) {
        blocked_ = false;
        flush_soon();
    }
    if (what.reads && reads_ && !waits_for_room_) return on_readable();
    // Only now, since mostly there is room again before more comes.
    if (what.reads && waits_for_room_) reads_ = false;
    // The broken one would be told again and again; where something is to be read or written, that tells.
    if (what.broken && !what.reads && !what.writes) {
        end_.note(ended_by::peer);
        return drop();
    }
    watch();
}

// A few reads a turn: who sends much takes turns with the others, but large messages that are there already
// leave together.
void connection::on_readable() {
    for (std::size_t reads = 1; read_some() && reads < reads_per_turn_max; ++reads) continue;
    watch();
}

// One read. Whether more may be there, and be read.
bool connection::read_some() {
    const std::span<char> scratch = home_.scratch();
    ssize_t received = 0;
    do {
        received = ::recv(socket_.descriptor(), scratch.data(), scratch.size(), MSG_DONTWAIT);
    } while (received < 0 && errno == EINTR);
    if (received < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return false;
        end_.note(ended_by::peer);
        drop();
        return false;
    }
    quiet_sweeps_ = 0;
    const auto size = static_cast<std::size_t>(received);
    home_.metrics().bytes_in += size;
    received_bytes_ += size;
    if (size == 0) {
        on_end();
    } else if (finishing_) {
        discard(size);
    } else if (tls_ != nullptr) {
        on_ciphertext(scratch.first(size));
    } else {
        adopt_next();
        conversation_->on_bytes(scratch.first(size));
        adopt_next();
    }
    return size == scratch.size() && reads_ && !waits_for_room_ && !finishing_ && !gone_;
}

// The peer sends nothing more.
void connection::on_end() {
    end_.note(ended_by::peer);
    if (finishing_) return drop();
    reads_ = false;
    ended_unread_ = waits_for_room_;
    if (ended_unread_) return;
    adopt_next();
    conversation_->on_end();
    adopt_next();
}

void connection::on_ciphertext(std::span<const char> bytes) {
    const std::span<char> plaintext = home_.plaintext_scratch();
    const tls_session::received got = tls_->receive(bytes, plaintext);
    if (got.established) ++home_.metrics().tls_handshakes[tls_->resumed() ? 1 : 0];
    if (tls_->waits()) flush_soon();
    if (got.bytes > 0) {
        adopt_next();
        conversation_->on_bytes(plaintext.first(got.bytes));
        adopt_next();
    }
    if (gone_) return;
    switch (got.how) {
        case tls_session::state::open:
            return;
        case tls_session::state::ended:
            return on_end();
        case tls_session::state::failed:
        case tls_session::state::not_tls:
            return on_tls_failure(got.how);
    }
}

// Whose handshake fails gets the alert, or words; who breaks the rules later may get the alert.
void connection::on_tls_failure(tls_session::state how) {
    end_.note(ended_by::peer);
    if (tls_->established()) {
        send_alert(socket_.descriptor(), *tls_);
        return drop();
    }
    ++home_.metrics().tls_handshake_errors;
    log::debug("a TLS handshake failed: ", tls_->fault());
    if (how == tls_session::state::not_tls) {
        tls_.reset();
        out_.push_raw(std::string(home_.canned().wrong_scheme));
    }
    finish(farewell::linger);
}

void connection::discard(std::size_t received) {
    discarded_bytes_ += static_cast<std::uint32_t>(received);
    if (discarded_bytes_ > discarded_bytes_max) drop();
}

void connection::resume_reading() {
    reads_ = true;
    watch();
}

bool connection::has_room() const {
    return rests_until_ms_ == 0 && out_.has_room() && home_.mail_has_room();
}

void connection::read_on_soon() {
    if (gone_ || std::exchange(reads_on_soon_, true)) return;
    home_.read_on_at_turn_end(id_);
}

void connection::keeps_unread(std::size_t bytes) {
    home_.storage().memory().change(unread_bytes_, bytes);
    unread_bytes_ = static_cast<std::uint32_t>(bytes);
    home_.watch_waiting();
}

void connection::cut() {
    if (gone_) return;
    if (overflowed_ || finishing_) return drop();
    overflowed_ = true;
    conversation_->on_overflow();
    // What has its framing is mostly two batches. Where it is more, a large frame has begun, and its last
    // words would have to wait until that is written.
    constexpr std::size_t batches = 3;
    if (!gone_ && out_.waiting_memory() > batches * home_.bounds().batch_bytes_max) drop();
}

void connection::read_on() {
    reads_on_soon_ = false;
    if (gone_ || !std::exchange(waits_for_room_, false)) return;
    reads_ = !ended_unread_;
    conversation_->on_room();
    if (ended_unread_ && !gone_ && !waits_for_room_) {
        ended_unread_ = false;
        on_end();
    }
    if (!waits_for_room_) watch();
}

// Lets the kernel tell what is waited for now.
void connection::watch() {
    const poller::interest wanted{reads_, blocked_};
    if (gone_ || wanted == watched_) return;
    watched_ = wanted;
    home_.poll().change(socket_.descriptor(), id_, wanted);
}

void connection::flush_soon() {
    if (gone_) return;
    if (!blocked_) return flush_at_turn_end();
    home_.watch_waiting();
    if (out_.overflows() && !overflowed_ && !finishing_) {
        overflowed_ = true;
        current_conversation().on_overflow();
    }
}

// Asks the shard once per turn, however much is queued.
void connection::flush_at_turn_end() {
    if (flush_is_due_) return;
    flush_is_due_ = true;
    home_.flush_at_turn_end(id_);
}

void connection::flush() {
    flush_is_due_ = put_off_ = false;
    if (gone_ || blocked_) return;
    go_on_after(write(out_, socket_.descriptor(), tls_.get(), home_.bounds().turn_bytes_max));
}

void connection::put_off() {
    if (gone_ || blocked_) return;
    put_off_ = true;
    out_.put_off();
    home_.watch_waiting();
}

void connection::send(std::shared_ptr<delivery::line_run>&& run, bool at_once) {
    if (gone_) return;
    if (at_once && !flush_is_due_ && !blocked_)
        return go_on_after(
            write_run(out_, socket_.descriptor(), tls_.get(), std::move(run), home_.bounds().turn_bytes_max)
        );
    out_.push_run(std::move(run));
    flush_soon();
}

void connection::go_on_after(const written& done) {
    home_.metrics().bytes_out += done.bytes;
    sent_bytes_ += done.bytes;
    look_for_room();
    switch (done.how) {
        case written::outcome::failed:
            end_.note(ended_by::peer);
            return drop();
        case written::outcome::more:
            watch();
            return flush_at_turn_end();
        case written::outcome::blocked:
            if (done.bytes > 0 || write_deadline_ms_ == 0)
                write_deadline_ms_ = home_.now().monotonic_ms + home_.bounds().write_timeout_ms;
            blocked_ = true;
            watch();
            return flush_soon();
        case written::outcome::drained:
            write_deadline_ms_ = 0;
            watch();
            if (finishing_) {
                // That nothing follows is told behind everything else.
                if (tls_ != nullptr && tls_->close()) return flush_at_turn_end();
                return say_farewell();
            }
            adopt_next();
            conversation_->on_drained();
            return adopt_next();
    }
}

void connection::finish(farewell how) {
    if (gone_ || finishing_) return;
    end_.note(ended_by::server);
    finishing_ = true;
    lingers_ = how == farewell::linger;
    deadline_ms_ =
        home_.now().monotonic_ms + home_.bounds().close_timeout_ms + home_.bounds().write_timeout_ms;
    waits_for_room_ = false;  // what comes now is discarded
    resume_reading();
    flush_at_turn_end();
}

void connection::say_farewell() {
    if (!lingers_) return drop();
    deadline_ms_ = home_.now().monotonic_ms + home_.bounds().close_timeout_ms;
    if (::shutdown(socket_.descriptor(), SHUT_WR) != 0) drop();
}

void connection::drop() {
    if (gone_) return;
    gone_ = true;
    end_.note(ended_by::server);
    log_end();
    if (tls_ != nullptr && tls_->in_handshake()) ++home_.metrics().tls_handshake_errors;
    if (next_) home_.metrics().changed(conversation_->kind(), next_->kind());
    current_conversation().on_lost();
    home_.metrics().closed(current_conversation().kind());
    socket_.close();
    home_.retire(*this);
}

void connection::log_end() {
    std::uint64_t left_out = 0;
    if (!logs_ends() || (bounds_ends() && !home_.admits_end_line(left_out))) return;
    const std::string name = name_of_connection(home_, id_);
    log_ended(
        {name, current_conversation().kind(), end_, owner_, home_.now().monotonic_ms - began_ms_,
         received_bytes_, sent_bytes_, left_out}
    );
}

// Whether the peer's kernel took what was on its way at the last sweep. On a slow link what waits in our
// kernel alone may take longer than any timeout: nothing can be written, and a ping is behind it all.
bool connection::peer_takes_bytes(std::int64_t now_ms) {
    if (quiet_sweeps_ < quiet_sweeps_min) ++quiet_sweeps_;
    if (!blocked_ && quiet_sweeps_ < quiet_sweeps_min) return false;
    int waiting = 0;
    if (::ioctl(socket_.descriptor(), SIOCOUTQ, &waiting) != 0 || waiting < 0) return false;
    const auto in_flight = static_cast<std::uint32_t>(waiting);
    const std::uint64_t acknowledged = sent_bytes_ - std::min<std::uint64_t>(in_flight, sent_bytes_);
    const bool takes =
        in_flight_bytes_ >= in_flight_bytes_min && acknowledged >= acknowledged_bytes_ + taken_bytes_min;
    in_flight_bytes_ = in_flight;
    acknowledged_bytes_ = acknowledged;
    if (const std::uint32_t ms = user_timeout_.look(in_flight >= in_flight_bytes_min, takes, now_ms))
        set_user_timeout(ms);
    return takes;
}

// Best effort: where it fails, the kernel tries for a quarter of an hour.
void connection::set_user_timeout(std::uint32_t ms) {
    (void)::setsockopt(socket_.descriptor(), IPPROTO_TCP, TCP_USER_TIMEOUT, &ms, sizeof ms);
}

void connection::sweep(std::int64_t now_ms) {
    if (gone_) return;
    if (peer_takes_bytes(now_ms)) {
        home_.heard(*this);
        if (blocked_) write_deadline_ms_ = now_ms + home_.bounds().write_timeout_ms;
    }
    if (blocked_ && now_ms >= write_deadline_ms_) {
        ++home_.metrics().write_timeouts;
        end_.note(ended_by::timeout);
        return drop();
    }
    if (rests_until_ms_ != 0 && now_ms >= rests_until_ms_) {
        rests_until_ms_ = 0;
        look_for_room();
    }
    // Its signs of life wait unread.
    if (waits_for_room_) home_.heard(*this);
    if (deadline_ms_ == 0 || now_ms < deadline_ms_) return;
    end_.note(ended_by::timeout);
    if (finishing_) return drop();
    deadline_ms_ = 0;
    adopt_next();
    conversation_->on_deadline();
    adopt_next();
}

}  // namespace pulsewire::shell

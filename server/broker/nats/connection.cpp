#include "server/broker/nats/connection.hpp"

#include "common/cluster/broker_port.hpp"
#include "server/base/freed_by.hpp"
#include "server/log.hpp"

#include <boost/asio/post.hpp>

#include <nats/nats.h>

#include <atomic>
#include <climits>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <vector>

namespace pulsewire::shell::nats {
namespace {

namespace asio = boost::asio;

using options_ptr = std::unique_ptr<natsOptions, freed_by<natsOptions_Destroy>>;
using message_ptr = std::unique_ptr<natsMsg, freed_by<natsMsg_Destroy>>;

// More than this of a record's head, as of all protocol lines, is never sent.
constexpr std::int64_t payload_room = 1'024;

std::atomic<int> given_up = 0;

std::string text_or_empty(const char* text) {
    return text == nullptr ? std::string() : std::string(text);
}

int status_of(natsMsg* message) {
    const char* text = nullptr;
    if (natsMsg_GetDataLength(message) > 0 || natsMsgHeader_Get(message, "Status", &text) != NATS_OK)
        return 0;
    return std::atoi(text);
}

connection::headers headers_of(natsMsg* message) {
    connection::headers found;
    const char** names = nullptr;
    int count = 0;
    if (natsMsgHeader_Keys(message, &names, &count) != NATS_OK) return found;
    for (int i = 0; i < count; ++i) {
        const char* value = nullptr;
        if (natsMsgHeader_Get(message, names[i], &value) == NATS_OK)
            found.emplace_back(names[i], text_or_empty(value));
    }
    std::free(names);
    return found;
}

}  // namespace

class connection::shared_end : public std::enable_shared_from_this<shared_end> {
public:
    shared_end(asio::io_context& loop, const address& where, std::string ca_file, listener heard)
        : loop_(loop), where_(where), ca_file_(std::move(ca_file)), heard_(std::move(heard)) {
        for (const auto& each : where_.hosts)
            name_.append(name_.empty() ? "the NATS at " : " or ").append(text_of(each));
        natsInbox* made = nullptr;
        if (natsInbox_Create(&made) == NATS_OK) inbox_ = made;
        natsInbox_Destroy(made);
    }

    // On the loop.
    void begin() {
        if (given_up >= given_up_max) {
            const std::lock_guard hold(lock_);
            connected_ = true;
            return fail_locked(name_ + " takes connections and does not answer them");
        }
        std::thread([self = shared_from_this()] { self->run(); }).detach();
    }
    void end() {
        const std::lock_guard hold(lock_);
        ended_ = true;
        heard_ = {};
        if (!connected_) ++given_up;
        wake_thread_.notify_all();
    }
    void publish(
        const std::string& subject, const std::string& reply, std::string_view bytes, const headers& with
    ) {
        const int size = static_cast<int>(bytes.size());
        const natsStatus status =
            !with.empty() ? publish_message(subject, reply, bytes, with)
            : reply.empty()
                ? natsConnection_Publish(made_, subject.c_str(), bytes.data(), size)
                : natsConnection_PublishRequest(made_, subject.c_str(), reply.c_str(), bytes.data(), size);
        if (status == NATS_OK) return;
        const std::string said = complaint();
        const std::lock_guard hold(lock_);
        fail_locked(name_ + " takes nothing any more" + said);
    }
    void hear(const std::string& subject) {
        // Its end is that of the connection's thread, which has ended neither before nor without it.
        std::string reason;
        if (!subscribe(own_, subject, &shared_end::on_own_message, reason)) {
            const std::lock_guard hold(lock_);
            fail_locked(std::move(reason));
        }
    }
    std::string complaint() const {
        const char* text = nullptr;
        if (!is_ready_ || natsConnection_GetLastError(made_, &text) == NATS_OK) return "";
        const std::string said = log::printable(text_or_empty(text));
        return said.empty() ? said : " (" + said + ")";
    }

    bool is_ready() const { return is_ready_; }
    const std::string& inbox() const { return inbox_; }
    const std::string& server_id() const { return server_id_; }
    std::string name() const {
        const std::lock_guard hold(lock_);
        return name_;
    }

private:
    natsStatus publish_message(
        const std::string& subject, const std::string& reply, std::string_view bytes, const headers& with
    ) {
        natsMsg* made = nullptr;
        natsStatus status = natsMsg_Create(
            &made, subject.c_str(), reply.empty() ? nullptr : reply.c_str(), bytes.data(),
            static_cast<int>(bytes.size())
        );
        const message_ptr message(made);
        for (const auto& [name, value] : with)
            if (status == NATS_OK) status = natsMsgHeader_Set(made, name.c_str(), value.c_str());
        return status == NATS_OK ? natsConnection_PublishMsg(made_, made) : status;
    }

    // --- the connection's thread ---

    void run() {
        std::string reason;
        natsSubscription* inbox = nullptr;
        const bool done = connect(reason) && subscribe(inbox, inbox_ + ".>", &shared_end::on_message, reason);
        {
            std::unique_lock hold(lock_);
            connected_ = true;
            if (ended_) --given_up;
            if (done)
                post_locked([this] { on_connected(); });
            else
                fail_locked(std::move(reason));
            wake_thread_.wait(hold, [&] { return ended_; });
        }
        // In this order: the library's reading thread uses a subscription without holding it, and has ended
        // after the first.
        natsConnection_Destroy(made_);
        natsSubscription_Destroy(inbox);
        natsSubscription_Destroy(own_);
        nats_ReleaseThreadMemory();
    }

    bool connect(std::string& reason) {
        natsOptions* raw = nullptr;
        natsStatus status = natsOptions_Create(&raw);
        const options_ptr options(raw);
        const auto set = [&](auto&& apply) {
            if (status == NATS_OK) status = apply();
        };
        std::vector<std::string> urls;
        for (const auto& each : where_.hosts) urls.push_back("nats://" + text_of(each));
        std::vector<const char*> servers;
        for (const auto& each : urls) servers.push_back(each.c_str());
        const int count = static_cast<int>(servers.size());
        set([&] { return natsOptions_SetServers(raw, servers.data(), count); });
        set([&] { return natsOptions_SetTimeout(raw, connect_time_max.count() / count); });
        set([&] { return natsOptions_SetName(raw, "pulsewire"); });
        set([&] { return natsOptions_SetAllowReconnect(raw, false); });
        set([&] { return natsOptions_SetIgnoreDiscoveredServers(raw, true); });
        set([&] { return natsOptions_SetWriteDeadline(raw, write_time_max.count()); });
        // Otherwise a thread of the library writes, a millisecond later.
        set([&] { return natsOptions_SetSendAsap(raw, true); });
        // Silent for the time of three pings: closed.
        set([&] { return natsOptions_SetPingInterval(raw, patience.count() / 3); });
        set([&] { return natsOptions_SetMaxPingsOut(raw, 2); });
        // What waits is bounded by what is asked for, see stream_log.
        set([&] { return natsOptions_SetMaxPendingMsgs(raw, INT_MAX / 1'024); });
        auto* const kept = kept_alive();
        set([&] { return natsOptions_SetClosedCB(raw, &shared_end::on_closed, kept); });
        if (!where_.user.empty()) {
            set([&] { return natsOptions_SetUserInfo(raw, where_.user.c_str(), where_.password.c_str()); });
        } else if (!where_.password.empty()) {
            set([&] { return natsOptions_SetToken(raw, where_.password.c_str()); });
        }
        if (!where_.credentials_file.empty()) {
            set([&] {
                return natsOptions_SetUserCredentialsFromFiles(raw, where_.credentials_file.c_str(), nullptr);
            });
        }
        if (where_.tls) set([&] { return natsOptions_SetSecure(raw, true); });
        if (where_.tls && !ca_file_.empty())
            set([&] { return natsOptions_LoadCATrustedCertificates(raw, ca_file_.c_str()); });
        if (status == NATS_OK) status = natsConnection_Connect(&made_, raw);
        if (status != NATS_OK) {
            made_ = nullptr;
            let_go(kept);  // on_closed is not called for what was never made
            reason = sentence_of(status);
            return false;
        }
        const std::int64_t payload_max = natsConnection_GetMaxPayload(made_);
        if (payload_max < static_cast<std::int64_t>(cluster::record_bytes_max) + payload_room) {
            reason = name_ + " takes messages of " + std::to_string(payload_max) +
                     " bytes at most: its max_payload must be larger, 1MB as it is by default";
            return false;
        }
        char url[256] = {};
        char id[128] = {};
        if (natsConnection_GetConnectedServerId(made_, id, sizeof id) == NATS_OK) server_id_ = id;
        if (natsConnection_GetConnectedUrl(made_, url, sizeof url) == NATS_OK) {
            const std::string_view whole = url;
            const std::lock_guard hold(lock_);
            const auto host = whole.rfind('@') != whole.npos ? whole.rfind('@') + 1 : whole.find("//") + 2;
            name_ = "the NATS at " + std::string(whole.substr(host));
        }
        return true;
    }

    bool subscribe(
        natsSubscription*& to, const std::string& subject, natsMsgHandler on_message, std::string& reason
    ) {
        auto* const self = kept_alive();
        const natsStatus status = natsConnection_Subscribe(&to, made_, subject.c_str(), on_message, self);
        if (status != NATS_OK) {
            let_go(self);
            reason = sentence_of(status);
            return false;
        }
        // Where one of them fails, the connection has just ended.
        natsSubscription_SetOnCompleteCB(to, &shared_end::let_go, self);
        natsSubscription_SetPendingLimits(to, INT_MAX, INT_MAX);
        return true;
    }

    std::string sentence_of(natsStatus status) const {
        const std::string said = " (" + log::printable(text_or_empty(nats_GetLastError(nullptr))) + ")";
        switch (status) {
            case NATS_CONNECTION_AUTH_FAILED:
                return name_ + " refuses the login: are user and password right in the address?" + said;
            case NATS_SECURE_CONNECTION_WANTED:
                return name_ + " has no TLS: the address is for nats:// then" + said;
            case NATS_SECURE_CONNECTION_REQUIRED:
                return name_ + " wants TLS: the address is for natss:// then" + said;
            case NATS_SSL_ERROR:
                return "TLS with " + name_ + " is not possible" + said;
            case NATS_NO_SERVER:
                return name_ + " cannot be connected to: does it run?" + said;
            case NATS_TIMEOUT:
                return name_ + " has not answered in time" + said;
            default:
                return name_ + " cannot be used: " + text_or_empty(natsStatus_GetText(status)) + said;
        }
    }

    // --- the library's threads ---

    static void on_message(natsConnection*, natsSubscription*, natsMsg* message, void* self) {
        (*static_cast<std::shared_ptr<shared_end>*>(self))->take({message_ptr(message), {}});
    }
    static void on_own_message(natsConnection*, natsSubscription*, natsMsg* message, void* self) {
        (*static_cast<std::shared_ptr<shared_end>*>(self))->take({message_ptr(message), headers_of(message)});
    }
    static void let_go(void* self) { delete static_cast<std::shared_ptr<shared_end>*>(self); }
    static void on_closed(natsConnection* made, void* self) {
        const char* text = nullptr;
        natsConnection_GetLastError(made, &text);
        const std::string said = log::printable(text_or_empty(text));
        shared_end& of = **static_cast<std::shared_ptr<shared_end>*>(self);
        {
            const std::lock_guard hold(of.lock_);
            of.fail_locked(of.name_ + " has ended the connection, or is gone (" + said + ")");
        }
        let_go(self);
    }

    struct arrived_message {
        message_ptr message;
        std::vector<std::pair<std::string, std::string>> headers;
    };

    void take(arrived_message one) {
        const std::lock_guard hold(lock_);
        if (ended_) return;
        arrived_.push_back(std::move(one));
        if (arrived_.size() == 1) post_locked([this] { hand_over(); });
    }

    // --- the loop ---

    void on_connected() {
        is_ready_ = true;
        if (heard_.on_ready) heard_.on_ready();
    }

    void hand_over() {
        std::vector<arrived_message> taken;
        {
            const std::lock_guard hold(lock_);
            taken.swap(arrived_);
        }
        for (auto& each : taken) {
            if (!heard_.on_message) return;
            natsMsg* const message = each.message.get();
            const char* const reply = natsMsg_GetReply(message);
            heard_.on_message(
                {natsMsg_GetSubject(message), reply == nullptr ? std::string_view{} : reply,
                 std::string_view(
                     natsMsg_GetData(message), static_cast<std::size_t>(natsMsg_GetDataLength(message))
                 ),
                 status_of(message), std::move(each.headers)}
            );
        }
    }

    // --- any thread, with the lock ---

    template <class Function>
    void post_locked(Function&& what) {
        if (ended_) return;
        asio::post(loop_, [self = shared_from_this(), what = std::forward<Function>(what)] { what(); });
    }
    void fail_locked(std::string reason) {
        if (std::exchange(failed_, true)) return;
        post_locked([this, reason = std::move(reason)] {
            // Its owner may let go of this in it.
            if (const auto told = heard_.on_failure) told(reason);
        });
    }

    // For a function of the library that is called once, at the end, and lets go of it.
    void* kept_alive() { return new std::shared_ptr<shared_end>(shared_from_this()); }

    asio::io_context& loop_;
    const address where_;
    const std::string ca_file_;
    std::string name_;  // lock_
    std::string inbox_;
    std::string server_id_;
    listener heard_;                  // on the loop
    bool is_ready_ = false;           // on the loop
    natsConnection* made_ = nullptr;  // by its thread, before it is ready
    natsSubscription* own_ = nullptr;
    mutable std::mutex lock_;
    std::condition_variable wake_thread_;
    bool connected_ = false;                // lock_; or has failed to
    bool ended_ = false;                    // lock_; the owner has let go
    bool failed_ = false;                   // lock_
    std::vector<arrived_message> arrived_;  // lock_
};

connection::connection(
    asio::io_context& loop, const address& where, const std::string& ca_file, listener heard
)
    : end_(std::make_shared<shared_end>(loop, where, ca_file, std::move(heard))) {
    end_->begin();
}
connection::~connection() {
    end_->end();
}

void connection::publish(
    const std::string& subject, const std::string& reply, std::string_view bytes, const headers& with
) {
    end_->publish(subject, reply, bytes, with);
}
void connection::hear_own_subject() {
    end_->hear(own_subject());
}
bool connection::is_ready() const {
    return end_->is_ready();
}
const std::string& connection::inbox() const {
    return end_->inbox();
}
const std::string& connection::server_id() const {
    return end_->server_id();
}
std::string connection::name() const {
    return end_->name();
}
std::string connection::complaint() const {
    return end_->complaint();
}

}  // namespace pulsewire::shell::nats

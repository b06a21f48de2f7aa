#include "server/endpoint/static_files.hpp"

#include "server/http/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>
#include <vector>

namespace pulsewire::shell {
namespace {

constexpr std::size_t path_depth_max = 32;

std::string_view content_type_of(std::string_view name) {
    struct known {
        std::string_view ending, type;
    };
    static constexpr known types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".mjs", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".map", "application/json"},
        {".webmanifest", "application/manifest+json"},
        {".wasm", "application/wasm"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".jpg", "image/jpeg"},
        {".jpeg", "image/jpeg"},
        {".gif", "image/gif"},
        {".webp", "image/webp"},
        {".avif", "image/avif"},
        {".ico", "image/x-icon"},
        {".woff2", "font/woff2"},
        {".txt", "text/plain; charset=utf-8"},
        {".md", "text/plain; charset=utf-8"},
        {".ts", "text/plain; charset=utf-8"},
        {".xml", "application/xml"},
        {".pdf", "application/pdf"},
        {".mp3", "audio/mpeg"},
        {".mp4", "video/mp4"},
    };
    for (const known& k : types)
        if (name.size() > k.ending.size() &&
            same_ignoring_case(name.substr(name.size() - k.ending.size()), k.ending))
            return k.type;
    return "application/octet-stream";
}

// The names of the path; nothing when one of them could mean another folder or is hidden (".git", ".env").
std::optional<std::vector<std::string>> names_of(std::string_view path) {
    std::vector<std::string> names;
    while (!path.empty()) {
        path.remove_prefix(1);  // the slash
        const std::size_t end = path.find('/');
        const auto name = decode_percent(path.substr(0, end));
        path.remove_prefix(end == std::string_view::npos ? path.size() : end);
        if (!name || names.size() == path_depth_max) return std::nullopt;
        if (name->find('/') != std::string::npos || name->find('\0') != std::string::npos)
            return std::nullopt;
        if (name->starts_with('.') && *name != ".well-known") return std::nullopt;
        if (name->empty() && !path.empty()) return std::nullopt;  // "//"
        names.push_back(*name);
    }
    return names;
}

open_file open_below(int folder, const std::string& name, int flags) {
    return open_file(::openat(folder, name.c_str(), flags | O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK));
}

struct opened {
    open_file file;
    struct stat about {};
};

std::optional<opened> open_regular(int folder, const std::string& name) {
    opened o{open_below(folder, name, 0)};
    if (!o.file || ::fstat(o.file.descriptor(), &o.about) != 0 || !S_ISREG(o.about.st_mode))
        return std::nullopt;
    return o;
}

std::string entity_tag(const struct stat& about, std::string_view coding) {
    char text[96];
    const int size = std::snprintf(
        text, sizeof text, "\"%llx-%llx-%lx", static_cast<unsigned long long>(about.st_size),
        static_cast<unsigned long long>(about.st_mtim.tv_sec),
        static_cast<unsigned long>(about.st_mtim.tv_nsec)
    );
    std::string tag(text, static_cast<std::size_t>(size));
    if (!coding.empty()) (tag += '-') += coding;
    return tag + '"';
}

// An address for event streams, as scheme, host and port.
std::string http_origin(std::string_view url) {
    const std::size_t host = url.find("://") + 3;
    const std::size_t end = url.find_first_of("/?#", host);
    const bool secure = url.starts_with("https:") || url.starts_with("wss:");
    return (secure ? "https://" : "http://") + std::string(url.substr(host, end - host));
}

// Scripts come from us alone, and WebAssembly may be compiled; nothing inline. WebSockets may lead anywhere,
// event streams to us and to the server that clients may be sent to.
void add_security_fields(response& r, std::string_view other_server) {
    const std::string other = other_server.empty() ? "" : " " + http_origin(other_server);
    r.add(
        "Content-Security-Policy",
        "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data:; "
        "connect-src 'self' ws: wss:" +
            other + "; object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    );
    r.add("Referrer-Policy", "strict-origin-when-cross-origin");
}

bool client_has(const request& r, const std::string& tag) {
    const std::string_view known = r.field("If-None-Match");
    return known == "*" || list_has(known, tag) || list_has(known, "W/" + tag);
}

found_file answer_with(
    const request& r, std::string_view name, std::string_view coding, opened&& o,
    std::string_view other_server
) {
    response head;
    const std::string tag = entity_tag(o.about, coding);
    head.content_type = content_type_of(name);
    head.add("ETag", tag);
    // Asked again each time, which the tag makes cheap: a new version shows at once.
    head.add("Cache-Control", "no-cache");
    head.add("Vary", "Accept-Encoding");
    if (!coding.empty()) head.add("Content-Encoding", std::string(coding));
    add_security_fields(head, other_server);
    if (client_has(r, tag)) {
        head.status = 304;
        return {std::nullopt, std::move(head)};
    }
    head.has_body_elsewhere = true;
    head.content_length = static_cast<std::uint64_t>(o.about.st_size);
    const std::uint64_t left = r.verb == method::head ? 0 : head.content_length;
    return {static_file{std::move(head), std::move(o.file), 0, left}, {}};
}

bool accepts(const request& r, std::string_view coding) {
    for (const auto& [name, value] : r.fields) {
        if (!same_ignoring_case(name, "Accept-Encoding")) continue;
        // Elements with a quality ("br;q=0") are left to the plain file: nobody in earnest sends them.
        if (list_has(value, coding)) return true;
    }
    return false;
}

std::optional<found_file> find_in(
    int folder, const std::string& name, const request& r, std::string_view other_server
) {
    static constexpr std::pair<std::string_view, std::string_view> codings[] = {
        {"br", ".br"}, {"gzip", ".gz"}};
    auto plain = open_regular(folder, name);
    if (!plain) return std::nullopt;
    for (const auto& [coding, ending] : codings) {
        if (!accepts(r, coding)) continue;
        auto packed = open_regular(folder, name + std::string(ending));
        // One that is older than its file belongs to an earlier version.
        if (packed && packed->about.st_mtim.tv_sec >= plain->about.st_mtim.tv_sec)
            return answer_with(r, name, coding, std::move(*packed), other_server);
    }
    return answer_with(r, name, {}, std::move(*plain), other_server);
}

response redirect_to_folder(const request& r) {
    response moved = error_response(308, error_code::not_supported, "the folder's address ends with a slash");
    // The path is printable ASCII (request.cpp), and a name was found for it. "//" would be another host, but
    // such a path finds nothing.
    moved.add(
        "Location",
        std::string(r.base) + std::string(r.path) + "/" + (r.query.empty() ? "" : "?" + std::string(r.query))
    );
    return moved;
}

}  // namespace

open_file::~open_file() {
    if (descriptor_ >= 0) ::close(descriptor_);
}

bool static_file::read_piece(std::string& out, std::size_t bytes_max) {
    const std::size_t size = static_cast<std::size_t>(std::min<std::uint64_t>(left, bytes_max));
    out.resize(size);
    std::size_t done = 0;
    while (done < size) {
        const ssize_t got =
            ::pread(file.descriptor(), out.data() + done, size - done, static_cast<off_t>(at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got <= 0) return false;
        done += static_cast<std::size_t>(got);
    }
    at += size;
    left -= size;
    return true;
}

found_file find_static_file(const std::string& root, const request& r, std::string_view other_server) {
    const auto names = names_of(r.path);
    if (!names) return {std::nullopt, not_found()};
    open_file folder(::open(root.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    for (std::size_t i = 0; i < names->size() && folder; ++i) {
        const std::string& name = (*names)[i];
        const bool last = i + 1 == names->size();
        if (last) {
            if (auto found =
                    find_in(folder.descriptor(), name.empty() ? "index.html" : name, r, other_server))
                return std::move(*found);
            const bool is_folder = !name.empty() && open_below(folder.descriptor(), name, O_DIRECTORY);
            return {std::nullopt, is_folder ? redirect_to_folder(r) : not_found()};
        }
        folder = open_below(folder.descriptor(), name, O_DIRECTORY);
    }
    return {std::nullopt, not_found()};
}

}  // namespace pulsewire::shell

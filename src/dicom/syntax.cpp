#include "fovea/dicom/syntax.h"

#include <array>

namespace fovea::dicom {
namespace {

constexpr std::string_view kVideo = "video is not decoded; export the frames as single images";
constexpr std::string_view kRemote = "the pixels are on a server, not in the file; export it again";
constexpr std::string_view kTranscode =
    "this build has no decoder for it; transcode the file, e.g. to 1.2.840.10008.1.2.1";

constexpr TransferSyntax refused(std::string_view uid, std::string_view name,
                                 std::string_view why) {
  return {uid, name, Coding::refused, false, false, false, why};
}

constexpr std::array kSyntaxes = {
    TransferSyntax{"1.2.840.10008.1.2", "Implicit VR Little Endian", Coding::native, true},
    TransferSyntax{"1.2.840.10008.1.2.1", "Explicit VR Little Endian", Coding::native},
    TransferSyntax{"1.2.840.10008.1.2.2", "Explicit VR Big Endian", Coding::native, false, true},
    TransferSyntax{"1.2.840.10008.1.2.1.99", "Deflated Explicit VR Little Endian", Coding::native,
                   false, false, true},
    TransferSyntax{"1.2.840.10008.1.2.5", "RLE Lossless", Coding::rle},
    TransferSyntax{"1.2.840.10008.1.2.4.50", "JPEG Baseline (Process 1)", Coding::jpeg},
    TransferSyntax{"1.2.840.10008.1.2.4.51", "JPEG Extended (Process 2 and 4)", Coding::jpeg},
    TransferSyntax{"1.2.840.10008.1.2.4.57", "JPEG Lossless (Process 14)", Coding::jpeg},
    TransferSyntax{"1.2.840.10008.1.2.4.70", "JPEG Lossless SV1 (Process 14)", Coding::jpeg},
    TransferSyntax{"1.2.840.10008.1.2.4.80", "JPEG-LS Lossless", Coding::jpeg_ls},
    TransferSyntax{"1.2.840.10008.1.2.4.81", "JPEG-LS Near-lossless", Coding::jpeg_ls},
    TransferSyntax{"1.2.840.10008.1.2.4.90", "JPEG 2000 Lossless", Coding::jpeg2000},
    TransferSyntax{"1.2.840.10008.1.2.4.91", "JPEG 2000", Coding::jpeg2000},
    TransferSyntax{"1.2.840.10008.1.2.4.201", "HTJ2K Lossless", Coding::jpeg2000},
    TransferSyntax{"1.2.840.10008.1.2.4.202", "HTJ2K Lossless RPCL", Coding::jpeg2000},
    TransferSyntax{"1.2.840.10008.1.2.4.203", "HTJ2K", Coding::jpeg2000},
    refused("1.2.840.10008.1.2.8.1", "Deflated Image Frame", kTranscode),
    refused("1.2.840.10008.1.2.4.92", "JPEG 2000 Part 2 Lossless", kTranscode),
    refused("1.2.840.10008.1.2.4.93", "JPEG 2000 Part 2", kTranscode),
    refused("1.2.840.10008.1.2.4.94", "JPIP Referenced", kRemote),
    refused("1.2.840.10008.1.2.4.95", "JPIP Referenced Deflate", kRemote),
    refused("1.2.840.10008.1.2.4.100", "MPEG-2 Main Level", kVideo),
    refused("1.2.840.10008.1.2.4.101", "MPEG-2 High Level", kVideo),
    refused("1.2.840.10008.1.2.4.102", "H.264 High Profile 4.1", kVideo),
    refused("1.2.840.10008.1.2.4.103", "H.264 BD-compatible", kVideo),
    refused("1.2.840.10008.1.2.4.104", "H.264 High Profile 4.2 2D", kVideo),
    refused("1.2.840.10008.1.2.4.105", "H.264 High Profile 4.2 3D", kVideo),
    refused("1.2.840.10008.1.2.4.106", "H.264 Stereo", kVideo),
    refused("1.2.840.10008.1.2.4.107", "HEVC Main", kVideo),
    refused("1.2.840.10008.1.2.4.108", "HEVC Main 10", kVideo),
    refused("1.2.840.10008.1.2.4.110", "JPEG XL Lossless", kTranscode),
    refused("1.2.840.10008.1.2.4.111", "JPEG XL Recompression", kTranscode),
    refused("1.2.840.10008.1.2.4.112", "JPEG XL", kTranscode),
    refused("1.2.840.10008.1.2.4.204", "JPIP HTJ2K Referenced", kRemote),
    refused("1.2.840.10008.1.2.4.205", "JPIP HTJ2K Referenced Deflate", kRemote),
};

}  // namespace

const TransferSyntax& kImplicitLittle = kSyntaxes[0];
const TransferSyntax& kExplicitLittle = kSyntaxes[1];
const TransferSyntax& kExplicitBig = kSyntaxes[2];

const TransferSyntax* find_syntax(std::string_view uid) {
  for (const TransferSyntax& syntax : kSyntaxes)
    if (syntax.uid == uid) return &syntax;
  return nullptr;
}

}  // namespace fovea::dicom

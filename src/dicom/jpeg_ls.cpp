// JPEG-LS through DCMTK's fork of CharLS: a data set of one frame is made up around each code
// stream.
#include <dcmtk/config/osconfig.h>
#include <dcmtk/dcmdata/dcpixseq.h>
#include <dcmtk/dcmdata/dcpxitem.h>
#include <dcmtk/dcmdata/dctk.h>
#include <dcmtk/dcmjpls/djcodecd.h>
#include <dcmtk/dcmjpls/djcparam.h>
#include <fmt/format.h>

#include <limits>
#include <memory>

#include "dicom/codecs.h"

namespace fovea::dicom {
namespace {

void put(DcmItem& item, const DcmTagKey& key, Uint16 value) {
  // The VR is given: DCMTK's dictionary, a file that may be absent, is not asked.
  auto element = std::make_unique<DcmUnsignedShort>(DcmTag(key, EVR_US));
  element->putUint16(value);
  if (item.insert(element.get()).good()) static_cast<void>(element.release());
}

void put(DcmItem& item, const DcmTagKey& key, DcmEVR vr, const char* text) {
  std::unique_ptr<DcmByteString> element;
  if (vr == EVR_IS)
    element = std::make_unique<DcmIntegerString>(DcmTag(key, vr));
  else
    element = std::make_unique<DcmCodeString>(DcmTag(key, vr));
  element->putOFStringArray(text);
  if (item.insert(element.get()).good()) static_cast<void>(element.release());
}

}  // namespace

StreamSays decode_jpeg_ls(Bytes stream, const Header& header, Out out) {
  const JpegFrame frame = jpeg_frame(stream, header);
  if (frame.process != 0xF7)
    throw data_error("the code stream is JPEG, not JPEG-LS; the TransferSyntaxUID is wrong");
  if (frame.precision < 8 && frame.precision != header.bits_allocated)
    throw data_error(
        fmt::format("JPEG-LS, {} bits: DCMTK's decoder reads 8 to 16 bits; transcode the file",
                    frame.precision));
  if (header.bits_allocated > 16 || (frame.precision <= 8) != (header.bits_allocated == 8))
    throw data_error(
        fmt::format("JPEG-LS, {} bits in BitsAllocated {} is not supported; transcode the file",
                    frame.precision, header.bits_allocated));
  if (std::max(stream.size(), out.size()) > std::numeric_limits<Uint32>::max() - 1)
    throw data_error("the frame is above the 4 GiB that DCMTK's JPEG-LS decoder can count");

  behind_wall("DCMTK's JPEG-LS decoder", [&] {
    DcmDataset set;
    put(set, DCM_Rows, static_cast<Uint16>(header.rows));
    put(set, DCM_Columns, static_cast<Uint16>(header.columns));
    put(set, DCM_SamplesPerPixel, static_cast<Uint16>(header.samples));
    put(set, DCM_BitsAllocated, static_cast<Uint16>(header.bits_allocated));
    put(set, DCM_BitsStored, static_cast<Uint16>(header.bits_stored));
    put(set, DCM_HighBit, static_cast<Uint16>(header.high_bit));
    put(set, DCM_PixelRepresentation, static_cast<Uint16>(header.is_signed));
    put(set, DCM_PlanarConfiguration, 0);
    put(set, DCM_NumberOfFrames, EVR_IS, "1");
    put(set, DCM_PhotometricInterpretation, EVR_CS, header.samples == 3 ? "RGB" : "MONOCHROME2");

    DcmPixelSequence sequence(DcmTag(DCM_PixelData, EVR_OB));
    auto table = std::make_unique<DcmPixelItem>(DcmTag(DCM_Item, EVR_OB));
    if (sequence.insert(table.get()).good()) static_cast<void>(table.release());
    auto item = std::make_unique<DcmPixelItem>(DcmTag(DCM_Item, EVR_OB));
    std::vector<Uint8> even(stream.begin(), stream.end());
    if (even.size() % 2 != 0) even.push_back(0);
    item->putUint8Array(even.data(), static_cast<unsigned long>(even.size()));
    if (sequence.insert(item.get()).good()) static_cast<void>(item.release());

    // DCMTK wants room for an even number of bytes.
    std::vector<uint8_t> padded(out.size() % 2 != 0 ? out.size() + 1 : 0);
    const Out to = padded.empty() ? out : Out(padded);
    const DJLSCodecParameter parameter(EJLSUC_never, EJLSPC_colorByPixel, OFTrue, OFTrue);
    Uint32 start = 1;
    OFString colour;
    const OFCondition status =
        DJLSLosslessDecoder().decodeFrame(nullptr, &sequence, &parameter, &set, 0, start, to.data(),
                                          static_cast<Uint32>(to.size()), colour);
    if (status.bad())
      throw data_error(fmt::format(
          "DCMTK's JPEG-LS decoder refused the frame: {}; export the file again", status.text()));
    if (!padded.empty()) std::copy_n(padded.begin(), out.size(), out.begin());
  });
  return {.precision = frame.precision,
          .is_signed = header.is_signed,
          .bytes_after = frame.bytes_after};
}

}  // namespace fovea::dicom

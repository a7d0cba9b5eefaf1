using System.Globalization;
using System.Reflection;
using System.Reflection.Metadata;
using System.Reflection.PortableExecutable;

namespace Orleans.Joblib;

/// <summary>Recovers the file of an assembly that exists only in memory: loaded from bytes, or a C# script's.</summary>
/// <remarks>
/// The runtime keeps such an assembly as the file was ("flat"), in a mapping of its own, and <c>TryGetRawMetadata</c> points into it. So the file begins at a page
/// before the metadata, with a header that leads to exactly that metadata. Reads never leave the mapping that the metadata is in, whose bounds the kernel tells:
/// on Linux only. An assembly with precompiled code (ReadyToRun) is not kept flat but laid out and changed, and cannot be recovered.
/// </remarks>
internal static class LoadedImage
{
    private const string Maps = "/proc/self/maps";

    /// <summary>The assembly's bytes; null, with the reason, when they cannot be had.</summary>
    internal static unsafe byte[]? TryRead(Assembly assembly, out string reason)
    {
        if (!OperatingSystem.IsLinux())
        {
            reason = "it exists only in memory, and from there it can be recovered on Linux only";
            return null;
        }

        if (!assembly.TryGetRawMetadata(out var metadata, out var metadataLength))
        {
            reason = "it has no metadata in memory";
            return null;
        }

        var page = (nuint)Environment.SystemPageSize;
        var (start, end) = MappingOf((nuint)metadata);
        for (var at = (nuint)metadata / page * page; at >= start && start != 0; at -= page)
        {
            if (*(byte*)at == 'M' && TryRead((byte*)at, end - at, metadata, metadataLength) is { } bytes)
            {
                GC.KeepAlive(assembly);
                reason = "";
                return bytes;
            }
        }

        reason = "it exists only in memory, and not as it was in its file; precompiled (ReadyToRun) assemblies are not kept so";
        return null;
    }

    private static unsafe byte[]? TryRead(byte* image, nuint room, byte* metadata, int metadataLength)
    {
        try
        {
            using var reader = new PEReader(image, (int)Math.Min(room, int.MaxValue));
            var headers = reader.PEHeaders;
            if (headers.MetadataSize != metadataLength || image + headers.MetadataStartOffset != metadata)
            {
                return null;
            }

            var length = headers.SectionHeaders.Max(section => (long)section.PointerToRawData + section.SizeOfRawData);
            return length <= (long)room ? new ReadOnlySpan<byte>(image, (int)length).ToArray() : null;
        }
        catch (BadImageFormatException)
        {
            // Some other bytes that begin with an M.
            return null;
        }
    }

    private static (nuint Start, nuint End) MappingOf(nuint address)
    {
        foreach (var line in File.ReadLines(Maps))
        {
            var dash = line.IndexOf('-', StringComparison.Ordinal);
            var space = line.IndexOf(' ', dash);
            var start = nuint.Parse(line.AsSpan(0, dash), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            var end = nuint.Parse(line.AsSpan(dash + 1, space - dash - 1), NumberStyles.HexNumber, CultureInfo.InvariantCulture);
            if (address >= start && address < end)
            {
                return (start, end);
            }
        }

        return default;
    }
}

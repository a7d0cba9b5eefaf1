namespace Orleans.Joblib;

/// <summary>How a payload begins.</summary>
internal static class PayloadFormat
{
    internal const byte Mark = 0x4A;
    internal const byte Version = 1;
    internal const byte Calls = 1;
    internal const byte Results = 2;
    internal const byte Failure = 3;

    internal static void Write(PayloadWriter writer, byte kind)
    {
        writer.WriteByte(Mark);
        writer.WriteByte(Version);
        writer.WriteByte((byte)Environment.Version.Major);
        writer.WriteByte(kind);
    }

    internal static void Read(PayloadReader reader, byte kind)
    {
        if (reader.ReadByte() != Mark)
        {
            throw PayloadReader.Malformed("it does not begin as one");
        }

        if (reader.ReadByte() is not Version and var version)
        {
            throw new JoblibException(
                "other-version", $"A payload is of format '{version}', this process reads '{Version}'. Use the same version of Orleans.Joblib on clients and silos.");
        }

        var runtime = reader.ReadByte();
        if (runtime != Environment.Version.Major)
        {
            throw new JoblibException(
                "other-version", $"A payload is from .NET {runtime}, this process runs .NET {Environment.Version.Major}. Use the same version of .NET on clients and silos.");
        }

        if (reader.ReadByte() != kind)
        {
            throw PayloadReader.Malformed("it is of another kind");
        }
    }
}

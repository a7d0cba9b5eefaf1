namespace Orleans.Joblib.Silo;

/// <summary>How OTLP is spoken.</summary>
internal enum OtlpProtocol
{
    Grpc,
    HttpProtobuf,
}

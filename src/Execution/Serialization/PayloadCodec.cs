namespace Orleans.Joblib;

/// <summary>Both ways of the codec over one set of assemblies.</summary>
internal sealed record PayloadCodec(PayloadEncoder Encoder, PayloadDecoder Decoder);

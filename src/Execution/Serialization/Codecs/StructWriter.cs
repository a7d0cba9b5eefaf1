namespace Orleans.Joblib;

/// <summary>Writes the fields of a struct.</summary>
internal delegate void StructWriter<T>(GraphWriter writer, ref T value)
    where T : struct;

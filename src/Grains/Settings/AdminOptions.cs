using System.ComponentModel.DataAnnotations;
using Microsoft.Extensions.Logging;

namespace RpOrleans.Grains.Settings;

/// <summary>What those who run it see: the admin port and the log.</summary>
public sealed class AdminOptions
{
    /// <summary>The port of health and figures. Default: the next free one from 8081.</summary>
    [Setting("ADMIN_PORT"), Range(1, 65535)]
    public int? Port { get; set; }

    /// <summary>The address that it listens on. Default: <c>localhost</c>.</summary>
    [Setting("ADMIN_HOST")]
    public string Host { get; set; } = "localhost";

    /// <summary>The least severe events that are logged. Default: <c>Information</c>.</summary>
    [Setting("LOG_LEVEL")]
    public LogLevel LogLevel { get; set; } = LogLevel.Information;
}
